// Instants in the reader's own language and zone.

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const yearDayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const shortDayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short" });

/** @param {string} iso */
export const clock = (iso) => clockFormat.format(new Date(iso));

/** @param {string} iso */
export const full = (iso) => fullFormat.format(new Date(iso));

/** Whether two instants fall on one day here. @param {string} a @param {string} b */
export const sameDay = (a, b) => daysBetween(new Date(a), new Date(b)) === 0;

/** @param {string} iso @param {Date} [now] */
export function day(iso, now = new Date()) {
  const then = new Date(iso);
  const ago = daysBetween(then, now);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return (then.getFullYear() === now.getFullYear() ? dayFormat : yearDayFormat).format(then);
}

/** As short as a list allows. @param {string} iso @param {Date} [now] */
export function short(iso, now = new Date()) {
  const then = new Date(iso);
  const ago = daysBetween(then, now);
  if (ago === 0) return clockFormat.format(then);
  return (ago < 7 ? weekdayFormat : shortDayFormat).format(then);
}

/** In the middle of a sentence. @param {string} iso @param {Date} [now] */
export function lastSeen(iso, now = new Date()) {
  const then = new Date(iso);
  const ago = daysBetween(then, now);
  if (now.getTime() - then.getTime() < 60_000) return "just now";
  if (ago === 0) return `at ${clockFormat.format(then)}`;
  if (ago === 1) return `yesterday at ${clockFormat.format(then)}`;
  return `on ${(then.getFullYear() === now.getFullYear() ? dayFormat : yearDayFormat).format(then)}`;
}

/** Calendar days, not spans of 24 hours. @param {Date} then @param {Date} now */
function daysBetween(then, now) {
  const midnight = (/** @type {Date} */ date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(now) - midnight(then)) / 86_400_000);
}

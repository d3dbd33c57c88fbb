// Who writes keeps the focus: nothing that comes late may take it from under somebody's hands.

let writtenAt = -Infinity;
globalThis.addEventListener?.("input", () => (writtenAt = performance.now()), true);

/** @param {EventTarget | null} target */
export const isField = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @param {number} instant  of `performance.now()` */
export const hasWrittenSince = (instant) => writtenAt > instant;

/** @param {HTMLElement | null | undefined} element @param {string} [within]  a place that gives the focus up */
export function focusUnlessWriting(element, within) {
  const { activeElement } = document;
  if (!isField(activeElement) || (within && activeElement?.closest(within))) element?.focus();
}

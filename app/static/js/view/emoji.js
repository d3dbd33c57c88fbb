// Every emoji with its names, fetched when the first one is looked for; and which were used lately.

/** @typedef {{emoji: string, names: string[], words: string, group: number}} Emoji */

const RECENT = "parley-emoji";
const MOST_RECENT = 16;
const USUAL = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "❌", "🔥", "💯", "👏", "🤔", "🚀", "☕"];

export const GROUPS = [
  { group: 0, icon: "😀", label: "Faces" },
  { group: 1, icon: "👋", label: "People" },
  { group: 3, icon: "🐻", label: "Nature" },
  { group: 4, icon: "🍎", label: "Food" },
  { group: 5, icon: "🚗", label: "Travel" },
  { group: 6, icon: "⚽", label: "Activities" },
  { group: 7, icon: "💡", label: "Things" },
  { group: 8, icon: "🔣", label: "Signs" },
  { group: 9, icon: "🏳️", label: "Flags" },
];

const FILE = "../../vendor/emoji.js";

/** @type {Promise<Emoji[]> | null} */
let loading = null;

export function allEmoji() {
  loading ??= import(FILE).then(
    ({ EMOJI }) => EMOJI.split("\n").map(read),
    (error) => {
      loading = null; // a failed try is none: the next one asks again
      throw error;
    },
  );
  return loading;
}

/** @param {string} line @returns {Emoji} */
function read(line) {
  const [head, words] = line.split(" | ");
  const [group, emoji, ...names] = head.split(" ");
  return { emoji, names, words: words ?? "", group: Number(group) };
}

/** Names that begin so, then names that hold it, then words. @param {Emoji[]} all @param {string} sought */
export function findEmoji(all, sought, most = 60) {
  const wanted = sought.toLowerCase().replace(/[\s-]+/g, "_");
  const rank = (/** @type {Emoji} */ { names, words }) => {
    if (names.includes(wanted)) return 0;
    if (names.some((name) => name.startsWith(wanted))) return 1;
    if (names.some((name) => name.includes(wanted))) return 2;
    return words.includes(sought.toLowerCase()) ? 3 : 4;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((found) => found.rank < 4)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ one }) => one);
}

/** @returns {string[]} */
export function recentEmoji() {
  try {
    const recent = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return [...new Set([...recent, ...USUAL])].slice(0, MOST_RECENT);
  } catch {
    return USUAL;
  }
}

/** @param {string} emoji */
export function usedEmoji(emoji) {
  try {
    localStorage.setItem(RECENT, JSON.stringify([...new Set([emoji, ...recentEmoji()])].slice(0, MOST_RECENT)));
  } catch {
    // A browser that keeps nothing shows the usual ones.
  }
}

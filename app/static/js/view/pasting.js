// What is put into the field when something long or code-like is pasted.

/** Several lines with the marks of a program. @param {string} text */
export function looksLikeCode(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length < 3) return false;
  const marked = lines.filter((line) => /[{};]\s*$|^\s{2,}\S|^\s*(?:def|class|import|from|return|if|for|const|let|var|function|#include|\$|>>>)\b|=>|::/.test(line));
  return marked.length >= lines.length / 2;
}

/** @param {string} text @returns {string} the text within a fence that it does not hold itself */
export function fenced(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.replace(/\n+$/, "")}\n${fence}\n`;
}

// Colours for code, fetched only when there is code to show. Gives a tree, never a string of HTML.

/** @typedef {string | {scope: string, children: Node[]}} Node */

const ALIASES = {
  "c++": "cpp", cs: "csharp", "c#": "csharp", docker: "dockerfile", html: "xml", svg: "xml", js: "javascript", jsx: "javascript",
  mjs: "javascript", kt: "kotlin", make: "makefile", md: "markdown", patch: "diff", py: "python", rb: "ruby", rs: "rust",
  sh: "bash", shell: "bash", console: "bash", zsh: "bash", toml: "ini", ts: "typescript", tsx: "typescript", yml: "yaml",
  golang: "go", scss: "css", pgsql: "sql", postgresql: "sql",
};
const KNOWN = new Set(
  ("bash c cpp csharp css diff dockerfile go ini java javascript json kotlin makefile markdown php python ruby rust sql swift " +
    "typescript xml yaml").split(" "),
);

/** @param {string} [name] what was written after the three backticks @returns {string | null} a language we have */
export function languageOf(name = "") {
  const wanted = name.trim().split(/[\s,{]/)[0].toLowerCase();
  const language = /** @type {Record<string, string>} */ (ALIASES)[wanted] ?? wanted;
  return KNOWN.has(language) ? language : null;
}

const FOLDER = "../../vendor/highlight";

/** @type {Promise<any> | null} */
let core = null;

/** @param {string} code @param {string} language @returns {Promise<Node[]>} */
export async function highlight(code, language) {
  core ??= import(`${FOLDER}/core.js`).then((module) => module.default);
  const [highlighter, grammar] = await Promise.all([core, import(`${FOLDER}/${language}.js`)]);
  if (!highlighter.getLanguage(language)) highlighter.registerLanguage(language, grammar.default);
  return highlighter.highlight(code, { language, ignoreIllegals: true })._emitter.rootNode.children;
}

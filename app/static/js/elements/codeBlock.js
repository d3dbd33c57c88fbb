import { useEffect, useState } from "preact/hooks";
import { highlight, languageOf } from "../view/highlight.js";
import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";

const COPIED_MS = 1_500;

/** @param {{code: string, language?: string}} props */
export function CodeBlock({ code, language }) {
  const known = languageOf(language);
  const colours = useColours(code, known);
  return html`
    <div class="code-block">
      <header><span>${language || "text"}</span><${CopyButton} text=${code} /></header>
      <pre tabindex="0"><code>${colours ? colours.map(coloured) : code}</code></pre>
    </div>
  `;
}

/** @param {string} code @param {string | null} language */
function useColours(code, language) {
  const [nodes, setNodes] = useState(/** @type {import("../view/highlight.js").Node[] | null} */ (null));
  useEffect(() => {
    let current = true;
    setNodes(null);
    if (language) highlight(code, language).then((found) => current && setNodes(found), () => {});
    return () => void (current = false);
  }, [code, language]);
  return nodes;
}

/** @param {import("../view/highlight.js").Node} node @returns {any} */
const coloured = (node) =>
  typeof node === "string"
    ? node
    : html`<span class=${node.scope ? `hl-${node.scope.split(".")[0]}` : null}>${node.children.map(coloured)}</span>`;

/** @param {{text: string}} props */
function CopyButton({ text }) {
  const { report } = usePage();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_MS);
    } catch {
      report(new Error("The browser does not let this page copy."));
    }
  };
  return html`<button type="button" class="copy" onClick=${copy}><${Icon} name=${copied ? "check" : "copy"} /> ${copied ? "Copied" : "Copy"}</button>`;
}

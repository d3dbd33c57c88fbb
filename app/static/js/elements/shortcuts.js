import { Dialog } from "./dialog.js";
import { html } from "./html.js";

const SHORTCUTS = [
  ["Ctrl K", "Go to a conversation or a person"],
  ["Ctrl Shift F", "Search messages"],
  ["?", "This list"],
  ["Alt ↑  Alt ↓", "The conversation above, below"],
  ["Alt Shift ↓", "The next unread conversation"],
  ["Enter", "Send"],
  ["Shift Enter", "A new line"],
  ["↑", "Edit my last message, in an empty field"],
  ["@  :", "Name somebody, find an emoji"],
  ["Esc", "Close what is open, stop replying or editing"],
];

/** @param {{onClose: () => void}} props */
export const Shortcuts = ({ onClose }) => html`
  <${Dialog} title="Keyboard" onClose=${onClose}>
    <dl class="shortcuts">
      ${SHORTCUTS.map(([keys, what]) => html`<div><dt>${keys.split("  ").map((one) => html`<kbd>${one}</kbd>`)}</dt><dd>${what}</dd></div>`)}
    </dl>
  <//>
`;

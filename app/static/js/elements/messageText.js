import { isOnlyEmoji, pieces } from "../view/text.js";
import { html } from "./html.js";

/** @param {{content: string}} props  shown as typed; links become links, nothing becomes markup */
export const MessageText = ({ content }) => html`
  <div class="message-text ${isOnlyEmoji(content) ? "large" : ""}" dir="auto">
    ${pieces(content).map(({ text, href }) =>
      href ? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>` : text,
    )}
  </div>
`;

import { isOnlyEmoji } from "../view/text.js";
import { mentionsIn, safeHref, tokensOf } from "../view/markdown.js";
import { CodeBlock } from "./codeBlock.js";
import { html } from "./html.js";

/** Deeper than this, what is written is shown as written. */
const MOST_DEEP = 12;

/**
 * @typedef {{type: string, raw: string, text: string, tokens?: Token[], [name: string]: any}} Token
 * @typedef {(username: string) => {name: string, isMe: boolean} | null} FindPerson
 */

/** @param {{content: string, person: FindPerson}} props  links become links, nothing becomes markup */
export const RichText = ({ content, person }) =>
  isOnlyEmoji(content)
    ? html`<div class="message-text large" dir="auto">${content}</div>`
    : html`<div class="message-text" dir="auto">${blocks(tokensOf(content), person, 0)}</div>`;

/** @param {Token[]} tokens @param {FindPerson} person @param {number} depth @returns {any[]} */
const blocks = (tokens, person, depth) => tokens.map((token) => block(token, person, depth));

/** @param {Token} token @param {FindPerson} person @param {number} depth */
function block(token, person, depth) {
  if (depth > MOST_DEEP) return html`<p>${token.raw}</p>`;
  const within = () => inline(token.tokens ?? [], person, depth);
  switch (token.type) {
    case "space":
      return null;
    case "code":
      return html`<${CodeBlock} code=${token.text} language=${token.lang} />`;
    case "heading":
      return html`<p class="rich-heading ${token.depth < 3 ? "big" : ""}">${within()}</p>`;
    case "hr":
      return html`<hr />`;
    case "blockquote":
      return html`<blockquote>${blocks(token.tokens ?? [], person, depth + 1)}</blockquote>`;
    case "list":
      return list(token, person, depth);
    case "table":
      return table(token, person, depth);
    case "text":
      return token.tokens ? html`<span>${within()}</span>` : html`<span>${words(token.text, person)}</span>`;
    case "checkbox":
      return html`<input type="checkbox" class="task" checked=${token.checked} disabled aria-label=${token.checked ? "Done" : "Not done"} />`;
    default:
      return html`<p>${token.tokens ? within() : token.raw}</p>`;
  }
}

/** @param {Token} token @param {FindPerson} person @param {number} depth */
function list({ ordered, start, items }, person, depth) {
  const entries = items.map(
    (/** @type {Token} */ item) => html`<li class=${item.task ? "task-item" : null}>${blocks(item.tokens ?? [], person, depth + 1)}</li>`,
  );
  return ordered ? html`<ol ...${start === 1 ? {} : { start }}>${entries}</ol>` : html`<ul>${entries}</ul>`;
}

/** @param {Token} token @param {FindPerson} person @param {number} depth */
function table({ header, rows }, person, depth) {
  const cell = (/** @type {Token} */ { tokens }) => inline(tokens ?? [], person, depth + 1);
  return html`
    <div class="rich-table" tabindex="0" role="region" aria-label="Table">
      <table>
        <thead>
          <tr>${header.map((/** @type {Token} */ one) => html`<th scope="col">${cell(one)}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map((/** @type {Token[]} */ row) => html`<tr>${row.map((one) => html`<td>${cell(one)}</td>`)}</tr>`)}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {Token[]} tokens @param {FindPerson} person @param {number} depth @returns {any[]} */
const inline = (tokens, person, depth) => tokens.map((token) => phrase(token, person, depth));

/** @param {Token} token @param {FindPerson} person @param {number} depth */
function phrase(token, person, depth) {
  if (depth > MOST_DEEP) return token.raw;
  const within = () => inline(token.tokens ?? [], person, depth + 1);
  switch (token.type) {
    case "strong":
      return html`<strong>${within()}</strong>`;
    case "em":
      return html`<em>${within()}</em>`;
    case "del":
      return html`<del>${within()}</del>`;
    case "codespan":
      return html`<code>${token.text}</code>`;
    case "br":
      return html`<br />`;
    case "link":
    case "image": // nothing is fetched from elsewhere by only looking
      return link(token, within);
    case "escape":
      return token.text;
    case "checkbox":
      return block(token, person, depth);
    default:
      return token.tokens ? within() : words(token.text ?? token.raw, person);
  }
}

/** @param {Token} token @param {() => any} within */
function link({ type, href, text, raw }, within) {
  const leads = safeHref(href);
  if (!leads) return raw;
  const shown = type === "image" ? text || leads : within();
  return html`<a href=${leads} title=${text === href ? null : leads} target="_blank" rel="noopener noreferrer nofollow">${shown}</a>`;
}

/** @param {string} text @param {FindPerson} person */
function words(text, person) {
  if (!text.includes("@")) return text;
  return mentionsIn(text).map(({ text: said, username }) => {
    const named = username && person(username);
    return named ? html`<span class="mention ${named.isMe ? "of-me" : ""}" title=${named.name}>${said}</span>` : said;
  });
}

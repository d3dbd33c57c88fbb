import { useEffect, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { gist } from "../view/markdown.js";
import { title } from "../view/names.js";
import { full, short } from "../view/time.js";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { html, usePage } from "./html.js";

const PAUSE_MS = 250;
const FILTERS = /** @type {[string, string][]} */ ([["", "Anything"], ["link", "Links"], ["image", "Pictures"], ["file", "Files"]]);

/** @typedef {import("../realtime/types.js").Message} Message */

/** Finds messages by their words, here or everywhere. @param {{onClose: () => void}} props */
export function SearchDialog({ onClose }) {
  const { session, actor, router } = usePage();
  const here = router.conversationId;
  const [sought, seek] = useState("");
  const [has, setHas] = useState("");
  const [onlyHere, setOnlyHere] = useState(false);
  const { items, cursor, problem, busy, more } = useSearch({ q: sought.trim(), has, conversationId: onlyHere ? here : null });
  const go = (/** @type {Message} */ message) => {
    onClose();
    router.go(message.conversationId, { messageId: message.id });
  };
  const place = (/** @type {Message} */ { conversationId }) => {
    const conversation = session.conversations.get(conversationId);
    return conversation ? title(conversation, actor.id) : "";
  };
  return html`
    <${Dialog} title="Search" onClose=${onClose}>
      <input class="field" type="text" enterkeyhint="search" placeholder="Words, “in quotes” together" aria-label="Search messages" autofocus value=${sought} onInput=${(/** @type {any} */ event) => seek(event.target.value)} />
      <div class="filters">
        ${FILTERS.map(([value, label]) => html`<button type="button" class="chip" aria-pressed=${String(has === value)} onClick=${() => setHas(value)}>${label}</button>`)}
        ${here && html`<button type="button" class="chip" aria-pressed=${String(onlyHere)} onClick=${() => setOnlyHere(!onlyHere)}>Only here</button>`}
      </div>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <ul class="results" aria-label="Messages found" aria-busy=${String(busy)}>
        ${items.map(
          (message) => html`
            <li key=${message.id}>
              <button type="button" onClick=${() => go(message)}>
                <${Avatar} id=${message.senderId} name=${message.sender.displayName} url=${message.sender.avatarUrl} size="small" />
                <span class="result-head"><b>${message.sender.displayName}</b> <span>${place(message)}</span></span>
                <time datetime=${message.createdAt} title=${full(message.createdAt)}>${short(message.createdAt)}</time>
                <span class="result-words">${gist(message.content) || message.attachments.map(({ name }) => name).join(", ")}</span>
              </button>
            </li>
          `,
        )}
      </ul>
      <p class="quiet" role="status">${busy ? "Searching…" : (sought.trim() || has) && !items.length && !problem ? "Nothing was found." : ""}</p>
      ${cursor && !busy && html`<button type="button" class="button plain wide" onClick=${more}>More</button>`}
    <//>
  `;
}

/** @param {{q: string, has: string, conversationId: string | null}} query */
function useSearch({ q, has, conversationId }) {
  const { session } = usePage();
  const [state, setState] = useState({ items: /** @type {Message[]} */ ([]), cursor: /** @type {string | null} */ (null), problem: "", busy: false });
  const ask = (/** @type {string | null} */ cursor) => session.api.get("/api/search", { q, has, conversationId, cursor, limit: 20 });
  const shown = (/** @type {Message[]} */ before) => (/** @type {any} */ { items, nextCursor }) => setState({ items: [...before, ...items], cursor: nextCursor, problem: "", busy: false });
  const asked = useRef(0);
  const failed = (/** @type {unknown} */ error) => setState((known) => ({ ...known, problem: asFailure(error).sentence(), busy: false }));
  useEffect(() => {
    asked.current += 1;
    if (!q && !has) return setState({ items: [], cursor: null, problem: "", busy: false });
    let current = true;
    setState((known) => ({ ...known, busy: true }));
    const timer = setTimeout(() => ask(null).then((found) => current && shown([])(found), (error) => current && failed(error)), PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [q, has, conversationId]);
  const more = () => {
    setState((known) => ({ ...known, busy: true }));
    const mine = asked.current;
    const ifAsked = (/** @type {(answer: any) => void} */ take) => (/** @type {any} */ answer) => mine === asked.current && take(answer);
    ask(state.cursor).then(ifAsked(shown(state.items)), ifAsked(failed));
  };
  return { ...state, more };
}

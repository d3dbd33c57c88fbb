import { useEffect, useRef, useState } from "preact/hooks";
import { draftOf, keepDraft } from "../view/drafts.js";
import { CONTENT_MAX, lengthOf } from "../view/text.js";
import { growTo } from "./grow.js";
import { html, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";

const NEAR_MAX = CONTENT_MAX - 400;

/**
 * @typedef {object} ComposerProps
 * @property {string} conversationId
 * @property {string} placeholder
 * @property {import("../realtime/types.js").Message | null} replyTo
 * @property {() => void} onCancelReply
 * @property {() => void} onSent
 * @property {() => void} onEditLast  arrow up in an empty field
 * @property {import("preact").RefObject<HTMLTextAreaElement>} field
 */

/** @param {ComposerProps} props */
export function Composer({ conversationId, placeholder, replyTo, onCancelReply, onSent, onEditLast, field }) {
  const { session, actor } = usePage();
  const [text, setText] = useState(() => draftOf(actor.id, conversationId));
  const own = useRef(text);
  const write = (/** @type {string} */ value) => {
    own.current = value;
    setText(value);
    keepDraft(actor.id, conversationId, value);
  };
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current?.focus();
    if (field.current) growTo(field.current);
    return () => session.ownTyping.stop();
  }, []);
  const length = lengthOf(text.trim());
  const send = () => {
    const content = own.current.trim();
    if (!content || lengthOf(content) > CONTENT_MAX) return;
    session.send({ conversationId, content, replyToId: replyTo?.id ?? null });
    write("");
    onSent();
    requestAnimationFrame(() => field.current && growTo(field.current));
    field.current?.focus();
  };
  const typed = (/** @type {any} */ event) => {
    write(event.target.value);
    growTo(event.target);
    if (event.target.value.trim()) session.ownTyping.pressed(conversationId);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && replyTo) onCancelReply();
    else if (event.key === "ArrowUp" && !own.current) {
      event.preventDefault();
      onEditLast();
    }
  };
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}>
      ${replyTo && html`<${ReplyingTo} message=${replyTo} onCancel=${onCancelReply} />`}
      <div class="composer-box">
        <textarea
          ref=${field}
          rows="1"
          aria-label="Message"
          placeholder=${placeholder}
          value=${text}
          onInput=${typed}
          onKeyDown=${pressed}
          onBlur=${() => session.ownTyping.stop()}
          enterkeyhint="enter"
        ></textarea>
        <button class="send" aria-label="Send" title="Send" disabled=${!length || length > CONTENT_MAX}><${Icon} name="send" /></button>
      </div>
      ${length > NEAR_MAX &&
      html`<p class="composer-count ${length > CONTENT_MAX ? "bad" : ""}" role="status">
        ${length > CONTENT_MAX ? `${length - CONTENT_MAX} characters too many.` : `${CONTENT_MAX - length} characters left.`}
      </p>`}
    </form>
  `;
}

/** @param {{message: import("../realtime/types.js").Message, onCancel: () => void}} props */
const ReplyingTo = ({ message, onCancel }) => html`
  <div class="replying">
    <${Icon} name="reply" />
    <p>Replying to <b>${message.sender.displayName}</b> <span>${message.content}</span></p>
    <${IconButton} icon="close" label="Do not reply" onClick=${onCancel} />
  </div>
`;

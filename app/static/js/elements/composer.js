import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { draftOf, keepDraft } from "../view/drafts.js";
import { focusUnlessWriting } from "../view/focus.js";
import { gist } from "../view/markdown.js";
import { fenced, looksLikeCode } from "../view/pasting.js";
import { CONTENT_MAX, lengthOf } from "../view/text.js";
import { useCompletion } from "./completion.js";
import { EmojiPicker } from "./emojiPicker.js";
import { growTo } from "./grow.js";
import { html, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { AttachButton, Tray, useDrop, useTray } from "./tray.js";

const NEAR_MAX = CONTENT_MAX - 400;
const isTouch = () => matchMedia("(pointer: coarse)").matches;

/**
 * @typedef {object} ComposerProps
 * @property {import("../realtime/types.js").Conversation} conversation
 * @property {string} place  what the draft is kept under: the conversation, or a thread of it
 * @property {string} placeholder
 * @property {string} [label]
 * @property {import("../realtime/types.js").Message | null} [replyTo]
 * @property {string | null} [replyToId]
 * @property {() => void} [onCancelReply]
 * @property {() => void} [onSent]
 * @property {() => void} [onEditLast]  arrow up in an empty field
 * @property {import("preact").RefObject<HTMLTextAreaElement>} field
 */

/** @param {ComposerProps} props */
export function Composer({ conversation, place, placeholder, label = "Message", replyTo = null, replyToId = null, onCancelReply, onSent, onEditLast, field }) {
  const { session, actor } = usePage();
  const [text, setText] = useState(() => draftOf(actor.id, place));
  const [picking, pick] = useState(false);
  const [pasted, setPasted] = useState(/** @type {string | null} */ (null));
  const own = useRef(text);
  const { uploads, add } = useTray(place);
  const isOver = useDrop(place === conversation.id, add);
  const write = (/** @type {string} */ value, caret = value.length) => {
    const { current } = field;
    if (current && current.value !== value) {
      // In the field at once, not when it is next drawn: the keys pressed until then belong behind it.
      current.value = value;
      current.setSelectionRange(caret, caret);
    }
    own.current = value;
    setText(value);
    keepDraft(actor.id, place, value);
    if (pasted && !value.includes(pasted)) setPasted(null);
    requestAnimationFrame(() => field.current && growTo(field.current));
  };
  const completion = useCompletion({ field, people: conversation.participants, write, name: `composer-${place}` });
  useLayoutEffect(() => {
    if (!isTouch()) focusUnlessWriting(field.current);
    if (field.current) growTo(field.current);
    return () => session.ownTyping.stop();
  }, []);
  const length = lengthOf(text.trim());
  const { attachments } = uploads;
  const maySend = (length > 0 || attachments.length > 0) && length <= CONTENT_MAX && uploads.isReady;
  const send = () => {
    const content = own.current.trim();
    if (!(content || attachments.length) || lengthOf(content) > CONTENT_MAX || !uploads.isReady) return;
    session.send({ conversationId: conversation.id, content, replyToId: replyTo?.id ?? replyToId, attachments });
    uploads.clear();
    write("");
    onSent?.();
    field.current?.focus();
  };
  const typed = (/** @type {any} */ event) => {
    write(event.target.value);
    completion.look();
    if (event.target.value.trim()) session.ownTyping.pressed(conversation.id);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || completion.pressed(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && replyTo) onCancelReply?.();
    else if (event.key === "ArrowUp" && !own.current && onEditLast) {
      event.preventDefault();
      onEditLast();
    }
  };
  const insert = (/** @type {string} */ piece) => {
    const { selectionStart = own.current.length, selectionEnd = selectionStart } = field.current ?? {};
    write(own.current.slice(0, selectionStart) + piece + own.current.slice(selectionEnd), selectionStart + piece.length);
    field.current?.focus();
  };
  const paste = (/** @type {ClipboardEvent} */ event) => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      add([...event.clipboardData.files]);
      return;
    }
    const words = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
    setPasted(looksLikeCode(words) ? words : null);
  };
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}>
      ${replyTo && html`<${ReplyingTo} message=${replyTo} onCancel=${onCancelReply} />`}
      ${pasted && html`<${AsCode} onYes=${() => (write(own.current.replace(pasted, () => fenced(pasted))), setPasted(null))} onNo=${() => setPasted(null)} />`}
      <${Tray} uploads=${uploads} />
      <div class="composer-box ${isOver ? "over" : ""}">
        ${completion.list}
        <${AttachButton} onFiles=${add} />
        <textarea
          ref=${field}
          rows="1"
          aria-label=${label}
          placeholder=${isOver ? "Let go to attach" : placeholder}
          value=${text}
          onInput=${typed}
          onKeyDown=${pressed}
          onPaste=${paste}
          onClick=${completion.look}
          onBlur=${() => session.ownTyping.stop()}
          enterkeyhint="enter"
          ...${completion.attributes}
        ></textarea>
        <${IconButton} icon="smile" label="Emoji" class="composer-tool" aria-expanded=${String(picking)} onClick=${() => pick(!picking)} />
        <button class="send" aria-label="Send" title="Send" disabled=${!maySend}><${Icon} name="send" /></button>
        ${picking && html`<${EmojiPicker} label="Emoji" onPick=${insert} onClose=${() => (pick(false), field.current?.focus())} />`}
      </div>
      ${length > NEAR_MAX &&
      html`<p class="composer-count ${length > CONTENT_MAX ? "bad" : ""}" role="status">
        ${length > CONTENT_MAX ? `${length - CONTENT_MAX} characters too many.` : `${CONTENT_MAX - length} characters left.`}
      </p>`}
    </form>
  `;
}

/** @param {{message: import("../realtime/types.js").Message, onCancel?: () => void}} props */
const ReplyingTo = ({ message, onCancel }) => html`
  <div class="replying">
    <${Icon} name="reply" />
    <p>Replying to <b>${message.sender.displayName}</b> <span>${gist(message.content)}</span></p>
    <${IconButton} icon="close" label="Do not reply" onClick=${onCancel} />
  </div>
`;

/** @param {{onYes: () => void, onNo: () => void}} props */
const AsCode = ({ onYes, onNo }) => html`
  <div class="replying" role="status">
    <${Icon} name="code" />
    <p>What you pasted looks like code.</p>
    <button type="button" class="button plain" onClick=${onYes}>Make it a code block</button>
    <${IconButton} icon="close" label="Leave it as it is" onClick=${onNo} />
  </div>
`;

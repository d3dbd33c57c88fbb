import { useEffect, useMemo, useState } from "preact/hooks";
import { isAtEnd } from "../view/anchor.js";
import { rows } from "../view/rows.js";
import { Seen } from "../view/seen.js";
import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { MessageRow } from "./message.js";
import { tickOf } from "./tick.js";
import { useWindow } from "./useWindow.js";

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Conversation} props.conversation
 * @param {number | null} props.newAfter
 * @param {string | null} props.editingId
 * @param {Set<string>} props.unfolded
 * @param {import("../view/people.js").Directory} props.people
 * @param {import("./conversation.js").ConversationVerbs} props.verbs
 * @param {import("preact").RefObject<HTMLDivElement>} props.scroller
 * @param {(moves: import("./conversation.js").Moves) => void} props.onMoves  hears how one moves through the history
 */
export function TimelineView({ conversation, newAfter, editingId, unfolded, people, verbs, scroller, onMoves }) {
  const { session, actor, deletions } = usePage();
  const timeline = useModel(session.archive.timeline(conversation.id));
  const outbox = useModel(session.outbox);
  const readers = useModel(session.readers);
  useModel(deletions);
  const seen = useSeen(session);
  const [away, setAway] = useState(false);
  const shown = useWindow(timeline, scroller);
  onMoves(shown);
  const entries = shown.follows ? outbox.of(conversation.id) : [];
  const list = rows({ messages: shown.items, before: shown.before, entries, actor, newAfter });
  const isDirect = conversation.kind === "direct";
  return html`
    <div class="timeline-frame">
      <div
        class="timeline"
        role="log"
        aria-label="Messages"
        aria-live="polite"
        aria-relevant="additions"
        tabindex="0"
        ref=${scroller}
        onScroll=${() => setAway(!!scroller.current && !isAtEnd(scroller.current))}
      >
        <div class="timeline-content">
          ${shown.hasBefore ? html`<${Skeleton} place="before" />` : html`<${Beginning} conversation=${conversation} empty=${!list.length} />`}
          ${list.map(
            (row) => html`
              <div class="row" key=${row.key}>
                ${row.day && html`<div class="day"><span>${row.day}</span></div>`}
                ${row.isNew && html`<div class="new-line" role="separator"><span>New</span></div>`}
                <${MessageRow}
                  message=${row.message}
                  entry=${row.entry}
                  isFirst=${row.isFirst}
                  isEditing=${row.message.id === editingId}
                  isOpen=${unfolded.has(row.message.id)}
                  isGoing=${deletions.isPending(row.message.id)}
                  tick=${row.message.senderId === actor.id ? tickOf(row.message, row.entry, readers, people.name, isDirect) : null}
                  quoted=${row.message.replyToId ? timeline.get(row.message.replyToId) : undefined}
                  people=${people}
                  seen=${seen}
                  verbs=${verbs}
                />
              </div>
            `,
          )}
          ${shown.hasAfter && html`<${Skeleton} place="after" />`}
        </div>
      </div>
      <${ToFirstNew} newAfter=${newAfter} list=${list} unread=${conversation.unreadCount} toPosition=${shown.toPosition} />
      ${(away || !shown.follows) && html`<${ToLatest} unread=${conversation.unreadCount} onClick=${shown.toLatest} />`}
    </div>
  `;
}

/** @param {import("../realtime/session.js").Session} session */
function useSeen(session) {
  const seen = useMemo(() => new Seen((message) => session.reading.seen(message)), [session]);
  useEffect(() => () => seen.stop(), [seen]);
  return seen;
}

/** As tall as it will ever be, so that nothing moves when it goes. @param {{place?: string}} props */
export const Skeleton = ({ place = "" }) => html`
  <div class="skeleton ${place}" aria-hidden="true">
    ${[62, 38, 74].map((width) => html`<div class="skeleton-row"><i></i><b></b><s class="w${width}"></s></div>`)}
  </div>
`;

/** @param {{conversation: import("../realtime/types.js").Conversation, empty: boolean}} props */
const Beginning = ({ conversation: { kind }, empty }) => html`
  <p class="beginning">
    ${empty ? "Nothing has been said here yet. The first word is yours." : kind === "group" ? "You joined here." : "This is where it began."}
  </p>
`;

/**
 * A way up to where reading stopped, where that is out of sight.
 * @param {{newAfter: number | null, list: import("../view/rows.js").Row[], unread: number, toPosition: (seq: number) => void}} props
 */
function ToFirstNew({ newAfter, list, toPosition }) {
  const [done, setDone] = useState(false);
  const first = list[0]?.message.seq;
  if (done || newAfter == null || first == null || first <= newAfter + 1) return null;
  const go = () => (setDone(true), toPosition(newAfter + 1));
  return html`<button type="button" class="to-new" onClick=${go}><${Icon} name="arrowUp" /> Go to the first unread</button>`;
}

/** @param {{unread: number, onClick: () => void}} props */
const ToLatest = ({ unread, onClick }) => html`
  <button type="button" class="to-latest" onClick=${onClick}>
    <${Icon} name="arrowDown" /> ${unread ? `${unread} new` : "Latest"}
  </button>
`;

import { useRef } from "preact/hooks";
import { lastSeen } from "../view/time.js";
import { others, subtitle } from "../view/names.js";
import { ConversationAvatar } from "./avatar.js";
import { html, useConnected, useModel, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { Menu } from "./menu.js";

/**
 * @param {object} props
 * @param {import("../realtime/types.js").Conversation} props.conversation
 * @param {string} props.name
 * @param {{current: import("./conversation.js").Moves | null}} props.moves
 * @param {boolean} props.showsDetails
 * @param {() => void} props.onDetails
 */
export function ConversationHead({ conversation, name, moves, showsDetails, onDetails }) {
  const { session, actor, act, show } = usePage();
  const date = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { id, muted, pinned, archived, headSeq } = conversation;
  const set = (/** @type {object} */ settings) => act(() => session.configure(id, settings));
  const goToDate = () =>
    act(async () => {
      const day = date.current?.valueAsDate;
      if (day) await moves.current?.toPosition(await session.archive.positionAt(id, localMidnight(day), headSeq));
    });
  const toDate = { icon: "calendar", label: "Go to a date", act: () => date.current?.showPicker() };
  const mine = [
    { icon: "pin", label: pinned ? "Unpin" : "Pin to the top", act: () => set({ pinned: !pinned }) },
    { icon: muted ? "bell" : "bellOff", label: muted ? "Unmute" : "Mute", act: () => set({ muted: !muted }) },
    { icon: "archive", label: archived ? "Take out of the archive" : "Archive", act: () => set({ archived: !archived }) },
  ];
  return html`
    <header class="conversation-head">
      <a class="icon-button back" href="/chat" aria-label="All conversations" title="All conversations"><${Icon} name="back" /></a>
      <${ConversationAvatar} conversation=${conversation} actorId=${actor.id} />
      <div class="conversation-names">
        <h1>${name}</h1>
        <${Subtitle} conversation=${conversation} />
      </div>
      <input type="date" class="date-jump" ref=${date} tabindex="-1" aria-label="Go to a date" onChange=${goToDate} />
      ${show && html`<${IconButton} icon="search" label="Search messages" onClick=${() => show("search")} />`}
      <${Menu} label="Conversation menu" choices=${actor.kind === "customer" ? [toDate] : [toDate, ...mine]} />
      <${IconButton} icon="panel" label="Details" aria-expanded=${String(showsDetails)} onClick=${onDetails} />
    </header>
  `;
}

/** A date field speaks of days without a zone; the reader means the day here. @param {Date} day */
const localMidnight = (day) => new Date(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()).getTime();

/** @param {{conversation: import("../realtime/types.js").Conversation}} props */
function Subtitle({ conversation }) {
  const { session, actor } = usePage();
  const people = useModel(session.people);
  const isConnected = useConnected();
  const [other] = others(conversation, actor.id);
  if (conversation.kind !== "direct" || !other) return html`<p>${subtitle(conversation)}</p>`;
  const known = people.byId.get(other.id);
  if (!known) return html`<p>@${other.username}</p>`;
  // Who is there is told by the connection: without it, one only knows how it was.
  if (!isConnected && known.status !== "offline") return html`<p>${known.status === "online" ? "Online" : "Away"} when last heard of</p>`;
  const words = { online: "Online", away: "Away", offline: known.lastSeenAt ? `Last seen ${lastSeen(known.lastSeenAt)}` : "Offline" };
  return html`<p><span class="dot ${known.status}" aria-hidden="true"></span> ${words[known.status]}</p>`;
}

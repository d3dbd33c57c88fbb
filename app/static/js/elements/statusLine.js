import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";

/** One quiet line under the composer: who types, and how far this page is complete. @param {{conversationId: string, people: import("../view/people.js").Directory}} props */
export const StatusLine = ({ conversationId, people }) => html`
  <div class="status-line">
    <${WhoTypes} conversationId=${conversationId} people=${people} />
    <${Completeness} conversationId=${conversationId} />
  </div>
`;

/** @param {{conversationId: string, people: import("../view/people.js").Directory}} props */
function WhoTypes({ conversationId, people }) {
  const { session } = usePage();
  const names = useModel(session.typing).of(conversationId).map(people.name);
  return html`<p class="typing" aria-live="polite">
    ${names.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span> ${sentence(names)}`}
  </p>`;
}

/** @param {string[]} names */
function sentence(names) {
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return "Several people are typing…";
}

/** Every change up to this position is on this page; a gap shows until it has healed. @param {{conversationId: string}} props */
function Completeness({ conversationId }) {
  const { session } = usePage();
  const positions = useModel(session.positions);
  const { online } = useModel(session.connection, "state");
  const position = positions.at(conversationId);
  if (!position || !session.archive.holds(conversationId)) return null;
  const complete = positions.isComplete(conversationId);
  const said = complete ? `Complete to #${position}` : `Complete to #${position}, fetching the rest`;
  const why = complete
    ? `Every change of this conversation up to its ${position}th is here, without a hole${online ? "." : ", as of when the connection was lost."}`
    : "Some changes were missed on the way. They are being fetched.";
  return html`<p class="complete ${complete ? "" : "healing"}" title=${why}>${online && complete && html`<${Icon} name="check" />`} ${said}</p>`;
}

import { useEffect, useRef, useState } from "preact/hooks";
import { asFailure } from "../realtime/failure.js";
import { Dialog, Field } from "./dialog.js";
import { html, usePage } from "./html.js";
import { Icon } from "./icon.js";
import { PersonPicker } from "./personPicker.js";

/** @typedef {import("../realtime/types.js").Person} Person */

const KINDS = [
  { kind: "direct", label: "One person" },
  { kind: "group", label: "Group" },
  { kind: "room", label: "Room" },
];

/** @param {{onClose: () => void}} props */
export function NewConversation({ onClose }) {
  const { session, router } = usePage();
  const [kind, setKind] = useState("direct");
  const [failure, setFailure] = useState(/** @type {import("../realtime/failure.js").Failure | null} */ (null));
  const [busy, setBusy] = useState(false);
  const isClosed = useRef(false);
  useEffect(() => () => void (isClosed.current = true), []);
  const make = async (/** @type {object} */ request) => {
    if (busy) return;
    setBusy(true);
    try {
      const { conversation } = await session.api.post("/api/conversations", { kind, ...request });
      session.took(conversation);
      if (isClosed.current) return; // whoever closed the dialog is elsewhere by now
      onClose();
      router.go(conversation.id);
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  const choose = (/** @type {string} */ chosen) => {
    setKind(chosen);
    setFailure(null);
  };
  const form = { direct: NewDirect, group: NewGroup, room: NewRoom }[kind];
  return html`
    <${Dialog} title="New conversation" onClose=${onClose}>
      <div class="tabs" role="tablist" aria-label="Kind of conversation">
        ${KINDS.map(
          (one) => html`
            <button type="button" role="tab" aria-selected=${String(one.kind === kind)} onClick=${() => choose(one.kind)}>${one.label}</button>
          `,
        )}
      </div>
      <${form} failure=${failure} busy=${busy} make=${make} />
      ${failure && !Object.keys(failure.fields).length && html`<p class="problem" role="alert">${failure.message}</p>`}
    <//>
  `;
}

/** @typedef {{failure: import("../realtime/failure.js").Failure | null, busy: boolean, make: (request: object) => void}} FormProps */

/** @param {FormProps} props */
const NewDirect = ({ failure, make }) => html`
  <${PersonPicker} eager label="With whom?" onPick=${(/** @type {Person} */ { username }) => make({ username })} />
  ${failure?.fields.username && html`<p class="problem" role="alert">${failure.sentence("username")}</p>`}
`;

/** @param {FormProps} props */
function NewGroup({ failure, busy, make }) {
  const [people, setPeople] = useState(/** @type {Person[]} */ ([]));
  const [title, setTitle] = useState("");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    make({ members: people.map(({ username }) => username), ...(title.trim() ? { title: title.trim() } : {}) });
  };
  return html`
    <form onSubmit=${submit}>
      <${Field}
        label="Name"
        name="title"
        hint="Without one, the group is called by its members."
        value=${title}
        maxlength="80"
        problem=${failure?.fields.title && failure.sentence("title")}
        onInput=${(/** @type {any} */ event) => setTitle(event.target.value)}
      />
      <${PersonPicker}
        eager
        label="Who is in it?"
        without=${people.map(({ id }) => id)}
        onPick=${(/** @type {Person} */ person) => setPeople([...people, person])}
      />
      <ul class="chosen" aria-label="In the group">
        ${people.map(
          (person) => html`
            <li key=${person.id}>
              ${person.displayName}
              <button type="button" aria-label="Leave out ${person.displayName}" onClick=${() => setPeople(people.filter((one) => one !== person))}>
                <${Icon} name="close" />
              </button>
            </li>
          `,
        )}
      </ul>
      ${failure?.fields.members && html`<p class="problem" role="alert">${failure.sentence("members")}</p>`}
      <footer class="dialog-foot"><button class="button" disabled=${busy || !people.length}>Make the group</button></footer>
    </form>
  `;
}

/** @param {FormProps} props */
function NewRoom({ failure, busy, make }) {
  const [title, setTitle] = useState("");
  const [slug, setSlug] = useState("");
  const [visibility, setVisibility] = useState("public");
  const address = slug || slugOf(title);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    make({ title: title.trim(), slug: address, visibility });
  };
  return html`
    <form onSubmit=${submit}>
      <${Field}
        label="Name"
        name="title"
        required
        maxlength="80"
        value=${title}
        problem=${failure?.fields.title && failure.sentence("title")}
        onInput=${(/** @type {any} */ event) => setTitle(event.target.value)}
      />
      <${Field}
        label="Address"
        name="slug"
        hint="Lower-case letters, digits and hyphens."
        value=${address}
        autocapitalize="none"
        problem=${failure?.fields.slug && failure.sentence("slug")}
        onInput=${(/** @type {any} */ event) => setSlug(event.target.value)}
      />
      <fieldset class="choices">
        <legend class="label">Who may join?</legend>
        ${[
          ["public", "Everyone here"],
          ["private", "Only who is invited"],
        ].map(
          ([value, label]) => html`
            <label>
              <input type="radio" name="visibility" value=${value} checked=${visibility === value} onChange=${() => setVisibility(value)} />
              ${label}
            </label>
          `,
        )}
      </fieldset>
      <footer class="dialog-foot"><button class="button" disabled=${busy || !title.trim()}>Make the room</button></footer>
    </form>
  `;
}

/** @param {string} title */
function slugOf(title) {
  const plain = title.normalize("NFKD").replace(/\p{Mark}/gu, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
}

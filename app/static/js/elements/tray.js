import { useEffect, useRef, useState } from "preact/hooks";
import { Uploads, uploader } from "../realtime/uploads.js";
import { attachedOf, keepAttached } from "../view/drafts.js";
import { sizeOf } from "../view/files.js";
import { html, useModel, usePage } from "./html.js";
import { Icon, IconButton } from "./icon.js";

/** The page's trays: files go on to the server also while another conversation is looked at. @type {Map<string, Uploads>} */
const trays = new Map();
addEventListener("beforeunload", (event) => [...trays.values()].every(({ isReady }) => isReady) || event.preventDefault());

/** @param {import("./pageContext.js").PageContext} page @param {string} place @returns {Uploads} */
export function trayOf({ actor, session }, place) {
  const known = trays.get(place);
  if (known) return known;
  const uploads = new Uploads(uploader(session.api), attachedOf(actor.id, place));
  uploads.on("change", () => keepAttached(actor.id, place, uploads.attachments));
  session.connection.on("ready", () => uploads.retry());
  trays.set(place, uploads);
  return uploads;
}

/** The files of a message to come, kept with its draft. @param {string} place */
export function useTray(place) {
  const page = usePage();
  const { report } = page;
  const uploads = useModel(trayOf(page, place));
  const add = (/** @type {Iterable<File>} */ files) => {
    const problem = uploads.add(files);
    if (problem) report(new Error(problem));
  };
  return { uploads, add };
}

/** Files let go over the page. @param {boolean} wanted @param {(files: Iterable<File>) => void} add */
export function useDrop(wanted, add) {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    if (!wanted) return;
    const over = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const left = (/** @type {DragEvent} */ event) => event.relatedTarget || setOver(false);
    const dropped = (/** @type {DragEvent} */ event) => {
      setOver(false);
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      add(event.dataTransfer.files);
    };
    const pairs = /** @type {[string, any][]} */ ([["dragover", over], ["dragleave", left], ["drop", dropped]]);
    for (const [name, listener] of pairs) addEventListener(name, listener);
    return () => pairs.forEach(([name, listener]) => removeEventListener(name, listener));
  }, [wanted, add]);
  return isOver;
}

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function AttachButton({ onFiles }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const chosen = (/** @type {any} */ event) => {
    onFiles([...event.target.files]);
    event.target.value = "";
  };
  return html`
    <input type="file" multiple hidden ref=${input} aria-label="Files" onChange=${chosen} />
    <${IconButton} icon="clip" label="Attach files" class="composer-tool" onClick=${() => input.current?.click()} />
  `;
}

/** @param {{uploads: Uploads}} props */
export function Tray({ uploads }) {
  if (!uploads.items.length) return null;
  return html`
    <ul class="tray" aria-label="Files to send">
      ${uploads.items.map(
        ({ key, name, size, state, progress, problem, attachment }) => html`
          <li key=${key} class=${state}>
            ${attachment?.thumbnailUrl ? html`<img src=${attachment.thumbnailUrl} alt="" width="36" height="36" />` : html`<${Icon} name="file" />`}
            <span class="tray-name">${name}</span>
            <span class="tray-state">${state === "failed" ? problem : state === "done" ? sizeOf(size) : `${Math.round(progress * 100)} %`}</span>
            ${state === "sending" && html`<progress value=${progress} aria-label="Sending ${name}"></progress>`}
            ${state === "failed" && html`<button type="button" class="button plain" onClick=${() => uploads.retry(key)}>Try again</button>`}
            <${IconButton} icon="close" label="Leave out ${name}" onClick=${() => uploads.remove(key)} />
          </li>
        `,
      )}
    </ul>
  `;
}

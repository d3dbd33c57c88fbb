import { useRef, useState } from "preact/hooks";
import { Failure, asFailure, unanswered } from "../realtime/failure.js";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";

/**
 * The picture beside one's own name: seen, changed, taken off.
 * @param {{me: {id: string, displayName: string, avatarUrl: string | null}, csrfToken: string}} props
 */
export function OwnPicture({ me, csrfToken }) {
  const [url, show] = useState(me.avatarUrl);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const call = async (/** @type {string} */ method, /** @type {FormData | undefined} */ body = undefined) => {
    setBusy(true);
    setProblem("");
    try {
      show((await ask(method, csrfToken, body)).user.avatarUrl);
    } catch (error) {
      setProblem(asFailure(error).sentence());
    }
    setBusy(false);
  };
  const chosen = () => {
    const picture = file.current?.files?.[0];
    if (!picture) return;
    const form = new FormData();
    form.append("file", picture);
    call("PUT", form);
  };
  return html`
    <div class="inline">
      <${Avatar} id=${me.id} name=${me.displayName} url=${url} />
      <button type="button" class="button plain small" disabled=${busy} onClick=${() => file.current?.click()}>${url ? "Change the picture" : "Add a picture"}</button>
      ${url && html`<button type="button" class="button plain small" disabled=${busy} onClick=${() => call("DELETE")}>Take it off</button>`}
      <input ref=${file} type="file" accept="image/*" class="unseen" tabindex="-1" aria-label="A picture" onChange=${chosen} />
    </div>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
  `;
}

/** @param {string} method @param {string} csrfToken @param {FormData} [body] @returns {Promise<{user: {avatarUrl: string | null}}>} */
async function ask(method, csrfToken, body) {
  const response = await fetch("/api/me/picture", { method, body, headers: { "X-CSRF-Token": csrfToken } }).catch(() => null);
  const envelope = await response?.json().catch(() => null);
  if (envelope?.success) return envelope.data;
  throw envelope?.error ? new Failure(envelope.error) : unanswered("The server cannot be reached.");
}

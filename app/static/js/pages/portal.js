// The customers' portal: the token comes behind the `#`, so that no server log ever holds it; the address forgets it at once.

import { render } from "preact";
import { Api } from "../api.js";
import { Portal } from "../elements/portal.js";
import { html } from "../elements/html.js";
import { asFailure } from "../realtime/failure.js";
import { getRealtimeManager } from "../realtime/messaging.js";
import { Router } from "../view/router.js";

const KEPT = "parley_portal_token";
const root = /** @type {HTMLElement} */ (document.getElementById("root"));

/** @returns {string | null} */
function takeToken() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT);
}

/** @param {string} token */
async function enter(token) {
  const api = new Api({ token });
  const { customer } = await api.get("/api/me");
  const { conversation } = await api.post("/api/conversations", { kind: "support" });
  const actor = { ...customer, kind: "customer", username: null };
  const { session } = getRealtimeManager({ actor, token });
  session.took(conversation);
  render(html`<${Portal} session=${session} router=${new Router()} actor=${actor} id=${conversation.id} />`, root);
  addEventListener("offline", () => session.connection.suspect());
  addEventListener("online", () => session.connection.hurry());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && session.connection.hurry());
  document.documentElement.dataset.live = "true";
}

/** @param {string} sentence @param {boolean} canRetry */
function refuse(sentence, canRetry) {
  const door = html`
    <main class="portal-door">
      <span class="wordmark">Parley</span>
      <p role="alert">${sentence}</p>
      ${canRetry && html`<button type="button" class="button" onClick=${() => location.reload()}>Try again</button>`}
    </main>
  `;
  render(door, root);
}

root.replaceChildren();
const token = takeToken();
if (!token) refuse("This page opens with the link that you were given. Ask for a new one where you got it.", false);
else {
  enter(token).catch((error) => {
    const failure = asFailure(error);
    if (failure.code !== "unauthenticated") return refuse(failure.message, true);
    sessionStorage.removeItem(KEPT);
    refuse("This link is no longer valid. Ask for a new one where you got it.", false);
  });
}

import { useEffect, useReducer } from "preact/hooks";
import { html, useModel, usePage } from "./html.js";
import { Icon } from "./icon.js";

/** What is wrong with the connection, in one sentence, and what can be done. Nothing while all is well. */
export function Banner() {
  const { session, notice } = usePage();
  const connection = useModel(session.connection, "state");
  const { state } = connection;
  if (state === "refused") {
    return html`
      <${Bar} tone="bad">
        You are signed out. What you wrote is kept.
        <a class="button plain" href="/login?next=${encodeURIComponent(location.pathname)}">Sign in again</a>
      <//>
    `;
  }
  if (state === "waiting" || state === "retrying") return html`<${Waiting} connection=${connection} />`;
  if (notice) return html`<${Bar} tone="calm">${notice}<//>`;
  return html`<div class="banner-place" role="status"></div>`;
}

/** @param {{connection: import("../realtime/connection.js").Connection}} props */
function Waiting({ connection }) {
  const [, tick] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(undefined), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil(((connection.retryAt ?? 0) - Date.now()) / 1000));
  const trying = connection.state === "retrying" || seconds === 0;
  return html`
    <${Bar} tone="wait">
      No connection. What you write is kept and sent later.
      <span class="banner-when">${trying ? "Trying now…" : `Trying again in ${seconds} s.`}</span>
      <button type="button" class="button plain" disabled=${trying} onClick=${() => connection.hurry()}>Try now</button>
    <//>
  `;
}

/** @param {any} props */
const Bar = ({ tone, children }) => html`
  <div class="banner-place" role="status">
    <div class="banner ${tone}"><${Icon} name="alert" /><p>${children}</p></div>
  </div>
`;

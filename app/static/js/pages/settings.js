// The settings page: the part that only this device knows. Everything else on it is plain forms.

import { render } from "preact";
import { DeviceNotifications } from "../elements/deviceNotifications.js";
import { html } from "../elements/html.js";
import { OwnPicture } from "../elements/ownPicture.js";

const csrfToken = document.querySelector("meta[name='csrf-token']")?.getAttribute("content") ?? "";
const own = document.getElementById("own-picture");
if (own) {
  const me = JSON.parse(own.dataset.me ?? "{}");
  own.replaceChildren();
  render(html`<${OwnPicture} me=${me} csrfToken=${csrfToken} />`, own);
}
const place = document.getElementById("device-notifications");
if (place) render(html`<${DeviceNotifications} />`, place);
document.documentElement.dataset.live = "true";

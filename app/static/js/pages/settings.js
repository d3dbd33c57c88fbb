// The settings page: the part that only this device knows. Everything else on it is plain forms.

import { render } from "preact";
import { DeviceNotifications } from "../elements/deviceNotifications.js";
import { html } from "../elements/html.js";

const place = document.getElementById("device-notifications");
if (place) render(html`<${DeviceNotifications} />`, place);
document.documentElement.dataset.live = "true";

import { useState } from "preact/hooks";
import { changeDeviceSettings, deviceSettings } from "../view/deviceSettings.js";
import { ring } from "../view/ringing.js";
import { html } from "./html.js";

const HOUR_MS = 3_600_000;

/** What this device does when somebody writes. */
export function DeviceNotifications() {
  const [settings, took] = useState(deviceSettings);
  const [problem, setProblem] = useState("");
  const change = (/** @type {Partial<typeof settings>} */ changes) => took(changeDeviceSettings(changes));
  const turnDesktop = async (/** @type {boolean} */ wanted) => {
    setProblem("");
    if (wanted && (await permission()) !== "granted") return setProblem("This browser does not allow notifications from here. Allow them in its settings for this site.");
    change({ desktop: wanted });
  };
  const isQuiet = settings.quietUntil > Date.now();
  return html`
    <div class="choices">
      <label>
        <input type="checkbox" checked=${settings.desktop} onChange=${(/** @type {any} */ event) => turnDesktop(event.target.checked)} />
        Show notifications
      </label>
      <label>
        <input type="checkbox" checked=${settings.sound} onChange=${(/** @type {any} */ event) => (change({ sound: event.target.checked }), event.target.checked && ring())} />
        Play a sound
      </label>
    </div>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    <div class="inline">
      <span>${isQuiet ? html`Do not disturb until <strong>${when(settings.quietUntil)}</strong>.` : "Do not disturb:"}</span>
      ${isQuiet
        ? html`<button type="button" class="button plain" onClick=${() => change({ quietUntil: 0 })}>End it</button>`
        : html`
            <button type="button" class="button plain" onClick=${() => change({ quietUntil: Date.now() + HOUR_MS })}>For an hour</button>
            <button type="button" class="button plain" onClick=${() => change({ quietUntil: tomorrow() })}>Until tomorrow, 8:00</button>
          `}
    </div>
  `;
}

const permission = async () => (globalThis.Notification ? Notification.requestPermission() : "denied");

function tomorrow() {
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  return morning.setHours(8, 0, 0, 0);
}

/** @param {number} instant */
const when = (instant) => new Date(instant).toLocaleString([], { weekday: "short", hour: "numeric", minute: "2-digit" });

// The browser's own means to call for attention: a notification, two soft tones, a mark on the icon.

/** @param {import("./notifier.js").Notice} notice */
export async function showNotice({ title, body, path, tag }) {
  if (globalThis.Notification?.permission !== "granted") return;
  const options = { body, tag, renotify: true, data: { path }, icon: document.querySelector("link[rel='apple-touch-icon']")?.getAttribute("href") ?? undefined };
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  if (registration) return registration.showNotification(title, options);
  new Notification(title, options).onclick = () => focus();
}

/** @type {AudioContext | undefined} */
let audio;

export function ring() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  const begin = audio.currentTime + 0.02;
  for (const [tone, after] of [
    [660, 0],
    [880, 0.13],
  ]) {
    const source = new OscillatorNode(audio, { frequency: tone });
    const loudness = new GainNode(audio, { gain: 0 });
    loudness.gain.setValueAtTime(0, begin + after);
    loudness.gain.linearRampToValueAtTime(0.08, begin + after + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + after + 0.25);
    source.connect(loudness).connect(audio.destination);
    source.start(begin + after);
    source.stop(begin + after + 0.3);
  }
}

/** This will show on the tab's and the installed app's icon that something is unread. @param {number} count */
export function markIcon(count) {
  const { setAppBadge, clearAppBadge } = /** @type {any} */ (navigator);
  (count ? setAppBadge?.call(navigator, count) : clearAppBadge?.call(navigator))?.catch(() => {});
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel='icon']"));
  if (!link) return;
  link.dataset.plain ??= link.href;
  link.href = count ? dotted() : link.dataset.plain;
}

/** The sign of Parley with a dot, drawn once. */
function dotted() {
  if (drawn) return drawn;
  const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 32 });
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.fillStyle = "#0d6a5f";
  brush.beginPath();
  brush.roundRect(0, 0, 32, 32, 8);
  brush.fill();
  brush.fillStyle = "#ffffff";
  brush.fill(new Path2D("M8 16a8 8 0 1 1 8 8H8z"));
  brush.fillStyle = "#e5484d";
  brush.beginPath();
  brush.arc(24, 8, 8, 0, 7);
  brush.fill();
  drawn = canvas.toDataURL("image/png");
  return drawn;
}
let drawn = "";

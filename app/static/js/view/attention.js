// Wires the page to what calls for attention: notifications, sound, the icon.

import { deviceSettings } from "./deviceSettings.js";
import { isLookedAt, tellWhatIsLookedAt } from "./looking.js";
import { Notifier } from "./notifier.js";
import { markIcon, ring, showNotice } from "./ringing.js";

/** @param {import("../realtime/session.js").Session} session @param {import("./router.js").Router} router */
export function callForAttention(session, router) {
  const notifier = new Notifier({ session, settings: deviceSettings, isLookedAt, show: showNotice, ring });
  // Held until the tab is gone, however it goes; the next in the queue leads then.
  const held = navigator.locks?.request("parley-notifier", () => (notifier.lead(), new Promise(() => {})));
  if (held) held.catch(() => {});
  else notifier.lead();
  router.on("change", tellWhatIsLookedAt(() => router.conversationId));
  let marked = -1;
  const mark = () => {
    const { unreadTotal } = session.conversations;
    if (unreadTotal !== marked) markIcon((marked = unreadTotal));
  };
  session.conversations.on("change", mark);
  mark();
}

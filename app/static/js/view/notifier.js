// Notifications: once, however many tabs are open, and never for what is being looked at.

import { systemClock } from "../realtime/clock.js";
import { gist } from "./markdown.js";
import { title } from "./names.js";

/** @typedef {import("../realtime/types.js").Message} Message */
/** @typedef {import("../realtime/types.js").Conversation} Conversation */
/** @typedef {{title: string, body: string, path: string, tag: string}} Notice */

const GATHER_MS = 600;
const MOST_REMEMBERED = 500;

/**
 * This will tell whether a message is worth a notification to this person.
 * @param {Message} message @param {Conversation | undefined} conversation @param {string} actorId
 */
export function isWorthIt(message, conversation, actorId) {
  if (!conversation || message.senderId === actorId || message.deletedAt) return false;
  if (message.changedSeq !== message.seq) return false;
  if (message.seq != null && message.seq <= conversation.readSeq) return false;
  if (conversation.muted || conversation.notifications === "none") return false;
  return conversation.notifications !== "mentions" || message.mentions.includes(actorId);
}

export class Notifier {
  /**
   * @param {object} options
   * @param {import("../realtime/session.js").Session} options.session
   * @param {() => import("./deviceSettings.js").DeviceSettings} options.settings
   * @param {(conversationId: string) => boolean} options.isLookedAt
   * @param {(notice: Notice) => void} options.show
   * @param {() => void} options.ring
   * @param {import("../realtime/clock.js").Clock} [options.clock]
   */
  constructor({ session, settings, isLookedAt, show, ring, clock = systemClock }) {
    this.session = session;
    this.settings = settings;
    this.isLookedAt = isLookedAt;
    this.show = show;
    this.ring = ring;
    this.clock = clock;
    this.leads = false;
    /** @type {Set<string>} */
    this.told = new Set();
    /** @type {Map<string, Message[]>} */
    this.gathered = new Map();
    session.on("message", (message) => this.heard(message));
  }

  /** One tab of a browser leads; when it goes, another takes over. */
  lead() {
    this.leads = true;
  }

  /** @param {Message} message */
  heard(message) {
    const { actor, conversations } = this.session;
    if (!actor || !isWorthIt(message, conversations.get(message.conversationId), actor.id) || this.told.has(message.id)) return;
    this.remember(message.id);
    if (!this.leads) return;
    const waiting = this.gathered.get(message.conversationId);
    if (waiting) waiting.push(message);
    else {
      this.gathered.set(message.conversationId, [message]);
      this.clock.after(() => this.tell(message.conversationId), GATHER_MS);
    }
  }

  /** @param {string} id */
  remember(id) {
    this.told.add(id);
    if (this.told.size > MOST_REMEMBERED) this.told.delete(/** @type {string} */ (this.told.values().next().value));
  }

  /** What came in a moment is told as one. @param {string} conversationId */
  tell(conversationId) {
    const messages = this.gathered.get(conversationId) ?? [];
    this.gathered.delete(conversationId);
    const conversation = this.session.conversations.get(conversationId);
    const { desktop, sound, quietUntil } = this.settings();
    const unread = messages.filter(({ seq }) => seq == null || seq > (conversation?.readSeq ?? 0));
    if (!conversation || !unread.length || this.clock.now() < quietUntil || this.isLookedAt(conversationId)) return;
    if (sound) this.ring();
    if (desktop) this.show(noticeOf(conversation, unread, this.session.actor?.id ?? ""));
  }
}

/** @param {Conversation} conversation @param {Message[]} messages @param {string} actorId @returns {Notice} */
function noticeOf(conversation, messages, actorId) {
  const last = messages[messages.length - 1];
  const words = last.content ? gist(last.content) : "sent an attachment";
  const said = conversation.kind === "direct" ? words : `${last.sender.displayName}: ${words}`;
  const name = title(conversation, actorId);
  return {
    title: messages.length > 1 ? `${name} (${messages.length} new)` : name,
    body: said.length > 180 ? `${said.slice(0, 180)}…` : said,
    path: `/chat/${conversation.id}`,
    tag: conversation.id,
  };
}

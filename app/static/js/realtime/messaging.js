// The public face of the realtime client: what a page, or another team's script, needs to talk.

import { openDB } from "idb";
import { io } from "socket.io-client";
import { Api } from "../api.js";
import { Connection } from "./connection.js";
import { asFailure } from "./failure.js";
import { databaseStore } from "./outboxStore.js";
import { personOf } from "./presence.js";
import { Session } from "./session.js";
import { claimTab, livingTabs } from "./tabs.js";

/**
 * @typedef {object} Handlers
 * @property {(message: import("./types.js").Message) => void} [onMessage]
 * @property {(receipt: import("./types.js").Receipt) => void} [onReadReceipt]
 * @property {(typing: import("./types.js").Typing) => void} [onTyping]
 * @property {(delivery: import("./types.js").Delivery) => void} [onDeliveryStatus]
 * @property {(presence: import("./types.js").Presence) => void} [onPresence]
 * @property {(error: Error) => void} [onError]
 * @property {(state: import("./channels.js").ChannelState) => void} [onStatus]
 *
 * @typedef {object} Options
 * @property {import("./types.js").Person} [actor]
 * @property {string} [csrfToken]  with the session cookie
 * @property {string} [token]  an access, portal or bot token
 * @property {string} [url]  another origin than the page's own
 * @property {Session} [session]
 */

/** @type {RealtimeMessagingManager | null} */
let shared = null;

/** This will give the one client of this page, made and connected at the first call. @param {Options} [options] */
export function getRealtimeManager(options = {}) {
  shared ??= new RealtimeMessagingManager(options);
  return shared;
}

export class RealtimeMessagingManager {
  /** @param {Options} [options] */
  constructor(options = {}) {
    this.session = options.session ?? startSession(options);
    /** @type {Set<import("./channels.js").Channel>} */
    this.subscriptions = new Set();
  }

  /** @param {string} conversationId @param {Handlers} [handlers] */
  subscribeToConversation(conversationId, handlers = {}) {
    const names = ["conversation", "receipts", "typing", "presence"].map((kind) => `${kind}:${conversationId}`);
    return this.hold(names, handlers, (event) => !event.conversationId || event.conversationId === conversationId, conversationId);
  }

  /** Every message that concerns one customer. @param {string} customerId @param {Handlers} [handlers] */
  subscribeToCustomerMessages(customerId, handlers = {}) {
    return this.hold([`customer:${customerId}:messages`], handlers, isServed);
  }

  /** Every message that concerns one member of staff. @param {string} userId @param {Handlers} [handlers] */
  subscribeToStaffMessages(userId, handlers = {}) {
    return this.hold([`staff:${userId}:messages`], handlers, isServed);
  }

  /**
   * @param {string} conversationId
   * @param {string | null} _userId  empty or the actor's own
   * @param {string | null} _customerId  empty or the actor's own
   * @param {(list: import("./types.js").Presence[]) => void} callback  hears the whole list at once and at each change
   */
  subscribeToPresence(conversationId, _userId, _customerId, callback) {
    const channel = this.hold([`presence:${conversationId}`], {});
    /** @type {Set<string> | null} */
    let ids = null;
    const tell = () => ids && callback([...this.session.people.byId.values()].filter((one) => ids?.has(personOf(one))));
    channel.cleanups.push(this.session.people.on("change", tell));
    this.getPresence(conversationId).then(
      (list) => {
        ids = new Set(list.map(personOf));
        tell();
      },
      (error) => channel.become("errored", error),
    );
    return channel;
  }

  /** @param {string} conversationId @param {string | null} _userId @param {string | null} _customerId @param {boolean} isTyping */
  sendTypingIndicator(conversationId, _userId, _customerId, isTyping) {
    if (isTyping) this.session.ownTyping.pressed(conversationId);
    else this.session.ownTyping.stop();
  }

  /** @param {string} messageId @param {string | null} [_userId] @param {string | null} [_customerId] */
  markMessageAsRead(messageId, _userId, _customerId) {
    return this.session.request("message:read", { messageIds: [messageId] });
  }

  /** @param {string | null} _userId @param {string | null} _customerId @param {string} status @param {object} [metadata] */
  updatePresence(_userId, _customerId, status, metadata) {
    return this.session.request("presence", metadata ? { status, metadata } : { status });
  }

  /** @param {string | null} [_userId] @param {string | null} [_customerId] @param {string} [conversationId] @returns {Promise<number>} */
  async getUnreadCount(_userId, _customerId, conversationId) {
    return (await this.session.api.get("/api/messages/unread-count", { conversationId })).count;
  }

  /** @param {string | null} userId @param {string | null} [customerId] @returns {Promise<boolean>} */
  async isOnline(userId, customerId) {
    const id = userId || customerId || "";
    if (!this.session.people.byId.has(id)) {
      await this.session.people.ask(() => this.session.api.get("/api/presence", { ids: id }));
    }
    return this.session.people.isOnline(id);
  }

  /** @param {string} conversationId @returns {Promise<import("./types.js").Presence[]>} */
  async getPresence(conversationId) {
    return this.session.people.ask(() => this.session.api.get(`/api/conversations/${conversationId}/presence`));
  }

  /** @param {import("./channels.js").Channel} channel */
  unsubscribe(channel) {
    this.subscriptions.delete(channel);
    channel.unsubscribe();
  }

  unsubscribeAll() {
    for (const channel of [...this.subscriptions]) this.unsubscribe(channel);
  }

  /**
   * @param {string[]} names @param {Handlers} handlers @param {(event: any) => boolean} [concerns]
   * @param {string | null} [conversationId]  whose messages are heard, none left out; all where there is none
   */
  hold(names, handlers, concerns = () => true, conversationId = null) {
    const channel = this.session.channels.channel(...names);
    if (handlers.onMessage) channel.cleanups.push(this.session.following.follow(conversationId));
    for (const [name, handler] of wired(handlers)) {
      channel.cleanups.push(this.session.on(name, (event) => concerns(event) && handler(event)));
    }
    channel.on("state", ({ state, error }) => {
      handlers.onStatus?.(state);
      if (error) handlers.onError?.(error);
    });
    this.subscriptions.add(channel);
    return channel.subscribe();
  }
}

/** @param {Handlers} handlers @returns {[string, (event: any) => void][]} */
function wired({ onMessage, onReadReceipt, onTyping, onDeliveryStatus, onPresence, onError }) {
  const all = { message: onMessage, receipt: onReadReceipt, typing: onTyping, delivery: onDeliveryStatus, presence: onPresence, error: onError };
  return /** @type {any} */ (Object.entries(all).filter(([, handler]) => handler));
}

/** Tells whether a message is of a support conversation: only there do customers and staff write as such. @param {any} event */
const isServed = ({ senderType }) => senderType === undefined || senderType === "customer" || senderType === "staff";

/** This will take over what pages that are gone have left unsent. @param {Session} session */
function adopt(session) {
  session.outbox.restore(livingTabs()).catch((error) => session.emit("error", asFailure(error)));
}

/** @param {Options} options */
function startSession({ actor, csrfToken, token, url = "" }) {
  const connection = new Connection({
    open: () =>
      io(url || undefined, {
        path: "/socket.io",
        auth: token ? { token } : { csrfToken },
        transports: ["websocket", "polling"],
        tryAllTransports: true,
        autoConnect: false,
        reconnection: false,
        timeout: 8_000,
      }),
  });
  const api = new Api({ csrfToken, token, base: url });
  const session = new Session({ api, connection, actor, tabId: claimTab(), outboxStore: databaseStore(openDB) });
  connection.on("state", (state) => state === "online" && adopt(session));
  session.on("leftover", () => adopt(session));
  connection.start();
  adopt(session);
  return session;
}

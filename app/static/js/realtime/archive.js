// The timelines of the conversations that were opened, and how they are filled.

import { Timeline } from "./timeline.js";

/** @typedef {import("./types.js").HistoryPage} HistoryPage */
/** @typedef {import("./types.js").Message} Message */

const PAGE = 50;
const SYNC_PAGE = 200;
/** As many conversations stay loaded as one goes back and forth between. */
const MOST_LOADED = 12;
/** Beyond this many missed changes, a fresh newest page is cheaper than all of them. */
const MOST_SYNC_PAGES = 25;

export class Archive {
  /**
   * @param {object} options
   * @param {import("../api.js").Api} options.api
   * @param {(event: string, payload: object) => Promise<any>} options.request
   * @param {import("./once.js").Once} options.once
   * @param {(conversationId: string, page: HistoryPage) => void} options.loaded  a timeline began anew with this page
   * @param {(message: Message) => void} options.missed
   */
  constructor({ api, request, once, loaded, missed }) {
    this.api = api;
    this.request = request;
    this.once = once;
    this.loaded = loaded;
    this.missed = missed;
    /** @type {Map<string, Timeline>} */
    this.timelines = new Map();
    this.asked = 0;
    /** Which question each began anew with. @type {WeakMap<Timeline, number>} */
    this.begun = new WeakMap();
  }

  /** @param {string} conversationId */
  at(conversationId) {
    return this.timelines.get(conversationId);
  }

  /** @param {string} conversationId */
  holds(conversationId) {
    return this.timelines.get(conversationId)?.loaded ?? false;
  }

  /** @param {string} conversationId */
  timeline(conversationId) {
    let timeline = this.timelines.get(conversationId);
    if (!timeline) this.timelines.set(conversationId, (timeline = new Timeline(conversationId)));
    return timeline;
  }

  /** @param {string} conversationId */
  forget(conversationId) {
    this.timelines.delete(conversationId);
  }

  /** @param {string} conversationId @param {HistoryPage} [page]  the newest, where it is at hand */
  async open(conversationId, page) {
    const timeline = this.timeline(conversationId);
    this.timelines.delete(conversationId);
    this.timelines.set(conversationId, timeline);
    if (timeline.loaded) return timeline;
    if (page) this.begin(timeline, page);
    else await this.reload(conversationId);
    return timeline;
  }

  /** @param {string} conversationId */
  reload(conversationId) {
    return this.once.run(`open ${conversationId}`, () => this.start(conversationId, {}));
  }

  /** Answers may overtake each other: what was asked for earlier than what is shown comes too late. @param {string} conversationId @param {object} where */
  async start(conversationId, where) {
    const mine = (this.asked += 1);
    const page = await this.page(conversationId, where);
    const timeline = this.timeline(conversationId);
    if ((this.begun.get(timeline) ?? 0) > mine) return;
    this.begun.set(timeline, mine);
    this.begin(timeline, page);
  }

  /** @param {string} conversationId */
  async older(conversationId) {
    const timeline = this.timeline(conversationId);
    if (!timeline.loaded || !timeline.hasBefore) return;
    await this.once.run(`older ${conversationId}`, async () => {
      const { epoch } = timeline;
      const page = await this.page(conversationId, { before: timeline.fromSeq });
      if (timeline.epoch === epoch) timeline.prepend(page);
    });
  }

  /** @param {string} conversationId */
  async newer(conversationId) {
    const timeline = this.timeline(conversationId);
    if (!timeline.loaded || !timeline.hasAfter) return;
    await this.once.run(`newer ${conversationId}`, async () => {
      const { epoch } = timeline;
      const page = await this.page(conversationId, { after: timeline.toSeq });
      if (timeline.epoch === epoch) timeline.append(page);
    });
  }

  /** This will start over around a position. @param {string} conversationId @param {number} seq */
  around(conversationId, seq) {
    return this.once.run(`around ${conversationId} ${seq}`, () => this.start(conversationId, { around: seq }));
  }

  /**
   * This will find the first position of a day or after, by asking for one message at a time: the instants of messages
   * rise with their positions, so a dozen questions halve any history.
   * @param {string} conversationId @param {number} at  ms since the epoch @param {number} headSeq @returns {Promise<number>}
   */
  async positionAt(conversationId, at, headSeq) {
    let [low, high] = [0, headSeq];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { items } = await this.api.get(`/api/conversations/${conversationId}/messages`, { after: middle, limit: 1 });
      const [next] = items;
      if (next?.seq == null || Date.parse(next.createdAt) >= at) high = middle;
      else low = next.seq;
    }
    return low + 1;
  }

  /** This will apply all that changed after a position. @param {string} conversationId @param {number} after */
  async sync(conversationId, after) {
    for (let page = 0; page < MOST_SYNC_PAGES; page += 1) {
      const { reached, hasMore } = await this.step(conversationId, after);
      after = reached;
      if (!hasMore) return after;
    }
    await this.reload(conversationId);
    return after;
  }

  /** This will apply a page of what changed after a position. @param {string} conversationId @param {number} after */
  async step(conversationId, after) {
    const { messages, upToSeq, hasMore } = await this.request("sync", { conversationId, after, limit: SYNC_PAGE });
    this.at(conversationId)?.putAll(messages);
    for (const message of messages) this.missed(message);
    return { reached: Math.max(after, upToSeq), hasMore };
  }

  /** @param {Timeline} timeline @param {HistoryPage} page */
  begin(timeline, page) {
    timeline.load(page);
    this.letGo(timeline);
    this.loaded(timeline.conversationId, page);
  }

  /** This will forget those that were opened longest ago. @param {Timeline} kept */
  letGo(kept) {
    const loaded = [...this.timelines.values()].filter((timeline) => timeline.loaded && timeline !== kept);
    for (const timeline of loaded.slice(0, Math.max(0, loaded.length + 1 - MOST_LOADED))) this.forget(timeline.conversationId);
  }

  /** @param {string} conversationId @param {object} where @returns {Promise<HistoryPage>} */
  page(conversationId, where) {
    return this.api.get(`/api/conversations/${conversationId}/messages`, { ...where, limit: PAGE });
  }
}

// The REST door: one envelope, one kind of failure.

import { Failure, unanswered } from "./realtime/failure.js";

/** @typedef {(url: string, options: RequestInit) => Promise<Response>} Fetch */

const TIMEOUT_MS = 15_000;

export class Api {
  /** @param {{csrfToken?: string, token?: string, base?: string, fetch?: Fetch}} [options] */
  constructor({ csrfToken, token, base = "", fetch = (url, options) => globalThis.fetch(url, options) } = {}) {
    this.csrfToken = csrfToken;
    this.token = token;
    this.base = base;
    this.fetch = fetch;
  }

  /** @param {string} path @param {Record<string, unknown>} [query] */
  get(path, query = {}) {
    return this.call("GET", path + queryString(query));
  }

  /** @param {string} path @param {object} [body] */
  post(path, body = {}) {
    return this.call("POST", path, body);
  }

  /** @param {string} path @param {object} [body] */
  put(path, body = {}) {
    return this.call("PUT", path, body);
  }

  /** @param {string} path @param {object} [body] */
  patch(path, body = {}) {
    return this.call("PATCH", path, body);
  }

  /** @param {string} path @param {RequestInit} [how] */
  delete(path, how) {
    return this.call("DELETE", path, undefined, how);
  }

  /**
   * This will make one call and return the data of its envelope.
   * @param {string} method @param {string} path @param {object} [body] @param {RequestInit} [how]
   * @returns {Promise<any>} rejects with a Failure
   */
  async call(method, path, body, how) {
    const response = await this.reach(method, path, body, how);
    const envelope = await response.json().catch(() => null);
    if (envelope?.success) return envelope.data;
    if (envelope?.error) throw new Failure(envelope.error);
    const temporary = response.status >= 500;
    throw new Failure({ code: "internal", message: "The server answered in a way this page does not understand.", temporary });
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {RequestInit} [how] @returns {Promise<Response>} */
  async reach(method, path, body, how) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    else if (this.csrfToken && method !== "GET") headers["X-CSRF-Token"] = this.csrfToken;
    try {
      return await this.fetch(this.base + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: this.token ? "omit" : "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...how,
      });
    } catch {
      throw unanswered("The server cannot be reached.");
    }
  }
}

/** @param {Record<string, unknown>} query */
function queryString(query) {
  const pairs = Object.entries(query).filter(([, value]) => value != null && value !== "");
  if (!pairs.length) return "";
  return `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}

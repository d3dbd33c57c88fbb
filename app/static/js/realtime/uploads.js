// Files on their way to the server, each with its progress; what failed can be tried again.

import { Emitter } from "./emitter.js";
import { Failure, asFailure, unanswered } from "./failure.js";
import { uuid } from "./uuid.js";

/**
 * @typedef {import("./types.js").Attachment} Attachment
 * @typedef {object} Upload
 * @property {string} key
 * @property {string} name
 * @property {number} size
 * @property {File | null} file  null where it came with a draft of an earlier page
 * @property {"waiting" | "sending" | "done" | "failed"} state
 * @property {number} progress  0 to 1
 * @property {string | null} problem
 * @property {Attachment | null} attachment
 */

export const MOST_FILES = 10;
export const MOST_BYTES = 25_000_000;

/** Emits `change`. */
export class Uploads extends Emitter {
  /** @param {(file: File, progress: (part: number) => void) => Promise<Attachment>} send @param {Attachment[]} [kept] */
  constructor(send, kept = []) {
    super();
    this.send = send;
    /** @type {Upload[]} */
    this.items = kept.map(asDone);
  }

  /** This will take files back that are on the server already. @param {Attachment[]} attachments */
  takeBack(attachments) {
    this.items = [...attachments.map(asDone), ...this.items];
    this.emit("change");
  }

  get isReady() {
    return this.items.every(({ state }) => state === "done");
  }

  /** @returns {Attachment[]} */
  get attachments() {
    return this.items.flatMap(({ attachment }) => (attachment ? [attachment] : []));
  }

  /** @param {Iterable<File>} files @returns {string | null} why some were not taken */
  add(files) {
    const wanted = [...files];
    const fitting = wanted.filter(({ size }) => size <= MOST_BYTES).slice(0, MOST_FILES - this.items.length);
    for (const file of fitting) {
      const upload = /** @type {Upload} */ ({ key: uuid(), name: file.name, size: file.size, file, state: "waiting", progress: 0, problem: null, attachment: null });
      this.items.push(upload);
      this.start(upload);
    }
    this.emit("change");
    if (fitting.length === wanted.length) return null;
    return wanted.some(({ size }) => size > MOST_BYTES) ? "A file may have at most 25 MB." : `A message takes at most ${MOST_FILES} files.`;
  }

  /** @param {string} key */
  remove(key) {
    this.items = this.items.filter((one) => one.key !== key);
    this.emit("change");
  }

  /** This will try again whatever failed, or one of them. @param {string} [key] */
  retry(key) {
    for (const upload of this.items) if (upload.state === "failed" && (!key || upload.key === key)) this.start(upload);
  }

  clear() {
    this.items = [];
    this.emit("change");
  }

  /** @param {Upload} upload */
  async start(upload) {
    if (!upload.file) return;
    Object.assign(upload, { state: "sending", progress: 0, problem: null });
    this.emit("change");
    try {
      const attachment = await this.send(upload.file, (progress) => {
        upload.progress = progress;
        this.emit("change");
      });
      Object.assign(upload, { state: "done", progress: 1, attachment });
    } catch (error) {
      Object.assign(upload, { state: "failed", problem: asFailure(error).sentence() });
    }
    this.emit("change");
  }
}

/** @param {Attachment} attachment @returns {Upload} */
const asDone = (attachment) => ({
  key: attachment.id,
  name: attachment.name ?? "File",
  size: attachment.bytes ?? 0,
  file: null,
  state: "done",
  progress: 1,
  problem: null,
  attachment,
});

/** Only this old way of asking tells how much has gone out. @param {import("../api.js").Api} api */
export function uploader({ base, csrfToken, token }) {
  return (/** @type {File} */ file, /** @type {(part: number) => void} */ progress) =>
    /** @type {Promise<Attachment>} */ (
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        const form = new FormData();
        form.append("file", file);
        request.open("POST", `${base}/api/uploads`);
        if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
        else if (csrfToken) request.setRequestHeader("X-CSRF-Token", csrfToken);
        request.responseType = "json";
        request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
        request.onload = () => {
          if (request.response?.success) resolve(request.response.data.upload);
          else reject(request.response?.error ? new Failure(request.response.error) : unanswered());
        };
        request.onerror = () => reject(unanswered("The server cannot be reached."));
        request.send(form);
      })
    );
}

// One shape for every refusal, whichever door it came through.

/** A refusal of the contract: code, a sentence, fields, and whether trying again can help. */
export class Failure extends Error {
  /** @param {{code: string, message: string, fields?: Record<string, string[]>, temporary?: boolean, retryAfter?: number}} error */
  constructor({ code, message, fields = {}, temporary = false, retryAfter }) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.fields = fields;
    this.temporary = temporary;
    /** Seconds, where the server named them. @type {number | undefined} */
    this.retryAfter = retryAfter;
  }

  /** What is wrong with one field (else with the first that is named), or in general. @param {string} [field] */
  sentence(field) {
    const name = field ?? Object.keys(this.fields)[0];
    const own = this.fields[name]?.[0];
    return own ? whole(name, own) : this.message;
  }
}

/** "content", "must not be empty" → "Content must not be empty." @param {string} name @param {string} said */
function whole(name, said) {
  if (!/^\p{Ll}/u.test(said)) return said;
  const words = name.replace(/(\p{Lu})/gu, " $1").toLowerCase();
  return `${words[0].toUpperCase()}${words.slice(1)} ${said}${/[.!?]$/.test(said) ? "" : "."}`;
}

/** No answer: the server may or may not have heard it, so the same id must be used again. */
export const unanswered = (message = "The server did not answer.") =>
  new Failure({ code: "unanswered", message, temporary: true });

/** @param {unknown} error @returns {Failure} */
export function asFailure(error) {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure({ code: "internal", message });
}

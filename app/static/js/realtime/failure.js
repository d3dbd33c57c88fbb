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

  /** The sentences of one field, else the general one. @param {string} [field] */
  sentence(field) {
    const own = field ? this.fields[field] : Object.values(this.fields)[0];
    return own?.[0] ?? this.message;
  }
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

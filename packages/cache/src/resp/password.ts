/** The password of the only user, compared in a time that reveals nothing. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { latin1 } from "../state/integer-text.ts";

/** The only one. */
export const USER = "default";

export class Password {
  readonly #wanted: string | undefined;

  constructor(password: string | undefined) {
    this.#wanted = password === undefined ? undefined : latin1(encodeUtf8(password));
  }

  get isNeeded(): boolean {
    return this.#wanted !== undefined;
  }

  /** @param given  bytes as characters. Returns true for anything if no password is required */
  matches(given: string): boolean {
    const wanted = this.#wanted;
    if (wanted === undefined) return true;
    let difference = given.length ^ wanted.length;
    for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ wanted.charCodeAt(i % wanted.length);
    return difference === 0;
  }
}

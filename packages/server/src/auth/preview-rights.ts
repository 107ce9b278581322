/** Short-lived rights to watch one stream, which the admin side gives out so that operators see guarded streams. */
import { createHmac, randomBytes } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { isSameSecret } from "@sluice/runtime/secret-compare";
import { type Credentials, PREVIEW_PARAMETER } from "./credentials.ts";

/** Until a play must have begun; must outlast the loading of a player, and be worth nothing once it stands in a log. */
export const PREVIEW_LIFE = 30_000 as Millis;

export interface PreviewRight {
  readonly token: string;
  /** Wall clock. */
  readonly expires: Millis;
}

export class PreviewRights {
  readonly #clock: Clock;
  /** Of this process alone: no right outlives it, none is good elsewhere. */
  readonly #secret = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param key  StreamKey */
  issue(key: string): PreviewRight {
    const until = Math.ceil(this.#clock.now() + PREVIEW_LIFE);
    return {
      token: `${until}.${this.#sign(key, until)}`,
      expires: (this.#clock.wall() + PREVIEW_LIFE) as Millis,
    };
  }

  /** Whether the query carries one right, for this stream and still good. */
  opens(key: string, { query, repeated }: Credentials): boolean {
    const [, until, sign] = /^(\d{1,15})\.([\w-]{43})$/.exec(query.get(PREVIEW_PARAMETER) ?? "") ?? [];
    if (until === undefined || sign === undefined || repeated !== undefined) return false;
    return this.#clock.now() < Number(until) && isSameSecret(sign, this.#sign(key, Number(until)));
  }

  /** By the monotonic clock, which cannot be set back. */
  #sign(key: string, until: number): string {
    return createHmac("sha256", this.#secret).update(`${until}:${key}`).digest("base64url");
  }
}

/** Whether a peer is still alive: when it last sent something, and what a question in between found out. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

/** A peer that sent something this recently is alive; longer than a publisher's bytes are left unread. */
const FRESH = 1_000 as Millis;

/** What a peer has for its answer, however long it has been silent; must outlast a detour over a satellite and a lost packet. */
const ANSWER_TIME = 3_000 as Millis;

export class SignOfLife {
  readonly #clock: Clock;
  readonly #ask: () => void;
  #heardAt: Millis;
  /** First and last question since it last sent something. */
  #askedAt: Millis | undefined;
  #askedAgainAt: Millis | undefined;
  #doubt: { readonly verdict: Promise<boolean>; readonly settle: (isAlive: boolean) => void } | undefined;

  /** @param ask  sends what a living peer answers */
  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#heardAt = clock.now();
  }

  /** Bytes came. */
  hear(): void {
    this.#heardAt = this.#clock.now();
    this.#askedAt = undefined;
    this.#askedAgainAt = undefined;
    this.#doubt?.settle(true);
  }

  /** Asks a peer that has been silent for `interval`, and again after each; 0 never asks. */
  tick(now: Millis, interval: Millis): void {
    if (interval > 0 && now - Math.max(this.#heardAt, this.#askedAgainAt ?? 0) >= interval) this.#question(now);
  }

  /** Resolves with true when it sends something, with false when it was silent for `patience` and has not answered in time. */
  prove(patience: Millis): Promise<boolean> {
    const now = this.#clock.now();
    if (now - this.#heardAt < FRESH) return Promise.resolve(true);
    if (this.#doubt !== undefined) return this.#doubt.verdict;
    this.#question(now);
    const until = Math.max(this.#heardAt + patience, (this.#askedAt ?? now) + ANSWER_TIME, now);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // After a pause of the whole process the timer comes before what the peer has sent meanwhile.
    let timer: Timer = this.#clock.after((until - now) as Millis, () => {
      timer = this.#clock.afterPoll(() => this.#doubt?.settle(false));
    });
    const settle = (isAlive: boolean): void => {
      timer.cancel();
      this.#doubt = undefined;
      resolve(isAlive);
    };
    this.#doubt = { verdict: promise, settle };
    return promise;
  }

  /** Settles an open question: the session has ended anyway. */
  close(): void {
    this.#doubt?.settle(true);
  }

  #question(now: Millis): void {
    this.#askedAt ??= now;
    this.#askedAgainAt = now;
    this.#ask();
  }
}

/** All sessions of the node: who is here, and the one beat that all their time-outs share. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Session, SessionEnd } from "./session.ts";

/** Time-outs of sessions are seconds; one timer for all of them costs less than one each. */
const TICK = 1_000 as Millis;

export interface SessionNotices {
  readonly opened: (session: Session) => void;
  readonly closed: (session: Session, reason: SessionEnd) => void;
}

export class SessionRegistry implements Disposable {
  readonly #clock: Clock;
  readonly #notices: SessionNotices;
  readonly #sessions = new Map<string, Session>();
  #timer: Timer;
  #nextId = 1;

  constructor(clock: Clock, notices: SessionNotices) {
    this.#clock = clock;
    this.#notices = notices;
    this.#timer = this.#arm();
  }

  get size(): number {
    return this.#sessions.size;
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Ids are short, unique in the process, and tell the order of arrival. */
  nextId(): string {
    return (this.#nextId++).toString(36).padStart(4, "0");
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#notices.opened(session);
  }

  remove(session: Session, reason: SessionEnd): void {
    if (this.#sessions.delete(session.id)) this.#notices.closed(session, reason);
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#clock.after(TICK, () => {
      this.#timer = this.#arm();
      const now = this.#clock.now();
      for (const session of this.#sessions.values()) session.tick(now);
    });
  }
}

/** All sessions of the node: who is here, and the one beat that all their time-outs share. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Session, SessionClosing } from "./session.ts";

/** Time-outs of sessions are seconds; one timer for all of them costs less than one each. */
const TICK = 1_000 as Millis;

export interface SessionNotices {
  readonly opened: (session: Session) => void;
  readonly closed: (session: Session, how: SessionClosing) => void;
}

export class SessionRegistry implements Disposable {
  readonly #clock: Clock;
  readonly #notices: SessionNotices;
  readonly #sessions = new Map<string, Session>();
  readonly #openedAt = new WeakMap<Session, Millis>();
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

  /** Ends a session on an operator's word. `false`: there is none of that id. */
  kick(id: string, reason: string): boolean {
    const session = this.#sessions.get(id);
    session?.end("kicked", reason);
    return session !== undefined;
  }

  /** Ids are short, unique in the process, and tell the order of arrival. */
  nextId(): string {
    return (this.#nextId++).toString(36).padStart(4, "0");
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#openedAt.set(session, this.#clock.now());
    this.#notices.opened(session);
  }

  /** The one place where every session ends. */
  remove(session: Session, how: Pick<SessionClosing, "reason" | "detail">): void {
    if (!this.#sessions.delete(session.id)) return;
    const now = this.#clock.now();
    const durationMs = Math.round(now - (this.#openedAt.get(session) ?? now)) as Millis;
    this.#notices.closed(session, { ...how, durationMs });
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

/** A leader's knowledge of one follower, and what it may send to it now. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId } from "../ids.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { LogRecord } from "./log-record.ts";
import type { AppendReply, Incarnation } from "./member-message.ts";
import type { SnapshotSender } from "./snapshot-sender.ts";

interface InFlight {
  readonly lastIndex: LogIndex;
  readonly byteCount: number;
}

export class ReplicationProgress {
  readonly id: MemberId;
  /** Index of the next record to send. */
  next: LogIndex;
  held = 0 as LogIndex;
  synced = 0 as LogIndex;
  /** Send time, on the leader's clock, of the latest confirmed message. */
  confirmedSentAt: Millis | undefined;
  lastSentAt = Number.NEGATIVE_INFINITY as Millis;
  /** The commit index last sent to it. */
  toldCommit = 0 as LogIndex;
  snapshot: SnapshotSender | undefined;
  readonly #limits: ReplicaLimits;
  /** Until the follower confirms where its log meets the leader's, one message at a time. */
  #isProbing = true;
  #isProbeOut = false;
  /** Ignores refusals of messages before this round. */
  #heedRound = 0;
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;
  #incarnation: Incarnation | undefined;

  constructor(id: MemberId, next: LogIndex, limits: ReplicaLimits) {
    this.id = id;
    this.next = next;
    this.#limits = limits;
  }

  get maySend(): boolean {
    if (this.snapshot !== undefined) return false;
    if (this.#isProbing) return !this.#isProbeOut;
    return this.#inFlightBytes < this.#limits.inFlightBytes && this.#inFlight.length < this.#limits.inFlightMessages;
  }

  /** Records are in flight that it has not confirmed. */
  get hasInFlight(): boolean {
    return this.#inFlight.length > 0;
  }

  sent(records: readonly LogRecord[], now: Millis, commit: LogIndex): void {
    this.lastSentAt = now;
    this.toldCommit = commit;
    this.#isProbeOut = true;
    const last = records.at(-1);
    if (last === undefined) return;
    const byteCount = records.reduce((sum, record) => sum + record.body.length, 0);
    this.next = (last.index + 1) as LogIndex;
    this.#inFlight.push({ lastIndex: last.index, byteCount });
    this.#inFlightBytes += byteCount;
  }

  confirmed(sentAt: Millis, now: Millis): void {
    if (sentAt <= now && sentAt > (this.confirmedSentAt ?? Number.NEGATIVE_INFINITY)) this.confirmedSentAt = sentAt;
  }

  /** A restarted member may hold less than before. @returns false for a reply from an earlier life */
  meet(incarnation: Incarnation): void {
    if (this.#incarnation === incarnation) return;
    if (this.#incarnation !== undefined) this.forget();
    this.#incarnation = incarnation;
  }

  forget(): void {
    this.held = 0 as LogIndex;
    this.synced = 0 as LogIndex;
    this.snapshot = undefined;
    this.#heedRound = 0;
    this.probeFrom(this.next);
  }

  /** @param round  the leader's latest */
  replied(reply: AppendReply, round: number): void {
    if (!reply.isMatch) return this.#refused(reply, round);
    this.#isProbing = false;
    this.reached(reply.held, reply.synced);
  }

  reached(held: LogIndex, synced: LogIndex): void {
    if (held > this.held) this.held = held;
    if (synced > this.synced) this.synced = synced;
    if (this.next <= held) this.next = (held + 1) as LogIndex;
    let done = 0;
    for (const { lastIndex, byteCount } of this.#inFlight) {
      if (lastIndex > held) break;
      this.#inFlightBytes -= byteCount;
      done++;
    }
    this.#inFlight.splice(0, done);
  }

  probeFrom(next: LogIndex): void {
    this.next = next;
    this.#isProbing = true;
    this.#isProbeOut = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }

  #refused(reply: AppendReply, round: number): void {
    if (this.snapshot !== undefined || reply.round < this.#heedRound) return;
    this.#heedRound = round + 1;
    this.probeFrom((Math.max(this.held, Math.min(reply.tryAfter, this.next - 1)) + 1) as LogIndex);
  }
}

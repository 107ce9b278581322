/** A follower during a leader's term: takes records and snapshots, and reports its progress. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId } from "../ids.ts";
import { CommittedLogError } from "./errors.ts";
import type { RaftState } from "./raft-state.ts";
import type { Append, Incarnation, SnapshotPart, SnapshotReply } from "./member-message.ts";
import type { WriteId } from "./replica-output.ts";
import { IncomingSnapshot } from "./incoming-snapshot.ts";
import type { ReplicaTiming } from "./timing.ts";

interface Installing {
  readonly token: WriteId;
  readonly part: SnapshotPart;
  readonly nextPart: number;
}

export class Follower<Answer> {
  readonly leader: MemberId;
  readonly #raft: RaftState<Answer>;
  readonly #incarnation: Incarnation;
  readonly #timing: ReplicaTiming;
  /** Up to here this log equals the leader's. */
  #verified = 0 as LogIndex;
  /** Of the latest accepted message. */
  #answering: { readonly round: number; readonly sentAt: Millis } = { round: 0, sentAt: 0 as Millis };
  #isReplyDue = false;
  #repliedAt = Number.NEGATIVE_INFINITY as Millis;
  #toldHeld = 0 as LogIndex;
  #toldSynced = 0 as LogIndex;
  #catchUpTo: LogIndex | undefined;
  #arrival: IncomingSnapshot | undefined;
  #installing: Installing | undefined;

  constructor(options: {
    readonly leader: MemberId;
    readonly raft: RaftState<Answer>;
    readonly incarnation: Incarnation;
    readonly timing: ReplicaTiming;
  }) {
    this.leader = options.leader;
    this.#raft = options.raft;
    this.#incarnation = options.incarnation;
    this.#timing = options.timing;
  }

  /** Holds everything that the leader had when it was first heard: records lost in an earlier life are back. */
  get isCaughtUp(): boolean {
    return this.#catchUpTo !== undefined && Math.min(this.#verified, this.#raft.held) >= this.#catchUpTo;
  }

  /** @throws {CommittedLogError} when the leader contradicts a committed record */
  append(message: Append, now: Millis): void {
    const { log } = this.#raft;
    this.#catchUpTo ??= message.lastIndex;
    if (message.previousIndex < log.baseIndex) return this.#overlap(message, now);
    if (log.termAt(message.previousIndex) !== message.previousTerm) return this.#refuse(message);
    this.#answer(message);
    const isNew = this.#takeRecords(message);
    const last = (message.previousIndex + message.records.length) as LogIndex;
    if (last > this.#verified) this.#verified = last;
    this.#raft.wantSync(Math.min(message.syncTo, this.#verified) as LogIndex);
    this.#raft.commitTo(Math.min(message.commit, this.#verified) as LogIndex, undefined);
    // a reply that waits for the disk must not hide from the leader that it is heard
    const isWaitingForDisk = isNew && this.#raft.countsWhen !== "received";
    if (!isWaitingForDisk || now - this.#repliedAt >= this.#timing.heartbeat) this.#isReplyDue = true;
  }

  snapshotPart(part: SnapshotPart): void {
    if (this.#installing !== undefined || this.#arrival?.isAfter(part) === true) return;
    const { log, commit } = this.#raft;
    const { index, term } = part.meta;
    this.#catchUpTo ??= index;
    if (index <= commit || log.termAt(index) === term) {
      if (index > this.#verified && log.termAt(index) === term) this.#verified = index;
      return this.#replyToPart(part, part.part + 1, "installed");
    }
    if (this.#arrival?.isOf(part) !== true) this.#arrival = new IncomingSnapshot(part);
    const outcome = this.#arrival.take(part, this.#raft.limits);
    if (outcome === "more") this.#replyToPart(part, this.#arrival.nextPart, "more");
    else if (outcome === "whole") this.#install(part, this.#arrival);
    else this.#refusePart(part);
  }

  /** Sends the leader any new progress. */
  turn(now: Millis): void {
    this.#tellInstalled();
    const held = Math.min(this.#raft.held, this.#verified) as LogIndex;
    const synced = Math.min(this.#raft.disk.synced, this.#verified) as LogIndex;
    const isSyncNews = synced > this.#toldSynced && this.#toldSynced < this.#raft.syncTo;
    if (!this.#isReplyDue && held <= this.#toldHeld && !isSyncNews) return;
    this.#isReplyDue = false;
    this.#repliedAt = now;
    this.#toldHeld = held;
    this.#toldSynced = synced;
    this.#reply({ ...this.#answering, isMatch: true, held, synced, tryAfter: held });
  }

  /** Keeps records that are equal; replaces everything from the first different one on. */
  #takeRecords({ records }: Append): boolean {
    const { log } = this.#raft;
    let isNew = false;
    for (const record of records) {
      const known = log.termAt(record.index);
      if (known === record.term) continue;
      if (known !== undefined) this.#raft.truncateFrom(record.index);
      this.#raft.append(record);
      isNew = true;
    }
    return isNew;
  }

  /** The records begin before this member's snapshot: what it covers is committed, hence equal. */
  #overlap(message: Append, now: Millis): void {
    const { log } = this.#raft;
    const end = message.previousIndex + message.records.length;
    if (end < log.baseIndex) return this.#takeCommitted(message);
    const { term } = log.placeAt(log.baseIndex);
    const same = message.records[log.baseIndex - message.previousIndex - 1];
    if (same?.term !== term) throw new CommittedLogError({ index: log.baseIndex, commit: this.#raft.commit });
    const records = message.records.filter((record) => record.index > log.baseIndex);
    this.append({ ...message, previousIndex: log.baseIndex, previousTerm: term, records }, now);
  }

  /** All of it is covered by this member's snapshot, and every leader has committed records. */
  #takeCommitted(message: Append): void {
    this.#answer(message);
    this.#verified = Math.max(this.#verified, this.#raft.commit) as LogIndex;
    this.#isReplyDue = true;
  }

  #answer({ round, sentAt }: Append): void {
    if (round > this.#answering.round) this.#answering = { round, sentAt };
  }

  #refuse(message: Append): void {
    const { log, commit } = this.#raft;
    const before = Math.min(message.previousIndex - 1, log.lastIndex) as LogIndex;
    const isConflict = log.termAt(message.previousIndex) !== undefined;
    const tryAfter = isConflict ? log.firstOfTermAt(message.previousIndex) - 1 : before;
    this.#reply({
      round: message.round,
      sentAt: message.sentAt,
      isMatch: false,
      held: Math.min(this.#raft.held, this.#verified) as LogIndex,
      synced: 0 as LogIndex,
      tryAfter: Math.max(commit, tryAfter) as LogIndex,
    });
  }

  #install(part: SnapshotPart, { pieces, nextPart }: IncomingSnapshot): void {
    this.#arrival = undefined;
    try {
      this.#raft.state.restore(pieces);
    } catch {
      return this.#refusePart(part);
    }
    const token = this.#raft.restart(part.meta);
    this.#raft.outbox.put({ type: "install-snapshot", token, meta: part.meta, pieces });
    this.#installing = { token, part, nextPart };
    this.#verified = part.meta.index;
    this.#toldHeld = 0 as LogIndex;
    this.#toldSynced = 0 as LogIndex;
  }

  #tellInstalled(): void {
    const installing = this.#installing;
    if (installing === undefined || !this.#raft.disk.isDone(installing.token)) return;
    this.#installing = undefined;
    this.#replyToPart(installing.part, installing.nextPart, "installed");
  }

  #refusePart(part: SnapshotPart): void {
    this.#arrival = undefined;
    this.#replyToPart(part, part.part, "refused");
  }

  #replyToPart(part: SnapshotPart, nextPart: number, outcome: SnapshotReply["outcome"]): void {
    this.#raft.outbox.send(this.leader, {
      type: "snapshot-reply",
      term: this.#raft.term,
      sentAt: part.sentAt,
      transfer: part.transfer,
      nextPart,
      outcome,
      incarnation: this.#incarnation,
    });
  }

  #reply(facts: {
    readonly round: number;
    readonly sentAt: Millis;
    readonly isMatch: boolean;
    readonly held: LogIndex;
    readonly synced: LogIndex;
    readonly tryAfter: LogIndex;
  }): void {
    const { outbox, term } = this.#raft;
    outbox.send(this.leader, { type: "append-reply", term, ...facts, incarnation: this.#incarnation });
  }
}

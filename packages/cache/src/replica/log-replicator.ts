/** Sends a leader's log and snapshots to the followers: chooses messages and their time, and handles the replies. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import type { Followers } from "./followers.ts";
import type { RaftState } from "./raft-state.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";
import type { Append, AppendReply, SnapshotPart, SnapshotReply } from "./member-message.ts";
import type { MessageFlow } from "./replica-output.ts";
import type { ReplicationProgress } from "./replication-progress.ts";
import { SnapshotSender } from "./snapshot-sender.ts";
import type { ReplicaTiming } from "./timing.ts";

/** How long the news of a commit waits for records to travel with. */
const COMMIT_NEWS_DELAY = 5 as Millis;

export class LogReplicator {
  readonly #raft: RaftState<unknown>;
  readonly #followers: Followers;
  readonly #timing: ReplicaTiming;
  #round = 0;
  #transfers = 0;
  #heartbeatAt: Millis;
  #commitNewsAt: Millis | undefined;

  constructor(raft: RaftState<unknown>, followers: Followers, timing: ReplicaTiming, now: Millis) {
    this.#raft = raft;
    this.#followers = followers;
    this.#timing = timing;
    this.#heartbeatAt = now;
  }

  get deadline(): Millis {
    return Math.min(this.#heartbeatAt, this.#commitNewsAt ?? Number.POSITIVE_INFINITY) as Millis;
  }

  /** Sends every follower a message that confirms leadership. */
  confirmSoon(now: Millis): void {
    this.#heartbeatAt = now;
  }

  committed(now: Millis): void {
    this.#commitNewsAt ??= (now + COMMIT_NEWS_DELAY) as Millis;
  }

  /** Sends whatever is due and allowed. */
  ship(now: Millis): void {
    const isHeartbeat = now >= this.#heartbeatAt;
    if (isHeartbeat) this.#heartbeatAt = (now + this.#timing.heartbeat) as Millis;
    for (const follower of this.#followers.all()) {
      this.#shipRecords(follower, now);
      this.#shipSnapshot(follower, now);
      if (isHeartbeat) this.#confirm(follower, now);
    }
    this.#shipCommitNews(now);
  }

  replied(follower: ReplicationProgress, reply: AppendReply, now: Millis): void {
    follower.meet(reply.incarnation);
    follower.confirmed(reply.sentAt, now);
    follower.replied(reply, this.#round);
    const isSnapshotNeeded = !reply.isMatch || reply.held < this.#raft.log.baseIndex;
    if (follower.snapshot === undefined || isSnapshotNeeded) return;
    follower.snapshot = undefined;
    follower.probeFrom((reply.held + 1) as LogIndex);
  }

  snapshotReplied(follower: ReplicationProgress, reply: SnapshotReply, now: Millis): void {
    follower.meet(reply.incarnation);
    follower.confirmed(reply.sentAt, now);
    const sender = follower.snapshot;
    if (sender === undefined || sender.transfer !== reply.transfer) return;
    sender.confirmed(reply.nextPart, now);
    if (reply.outcome === "refused") sender.refused(now);
    if (reply.outcome !== "installed") return;
    follower.snapshot = undefined;
    follower.probeFrom((sender.meta.index + 1) as LogIndex);
  }

  /** Up to here the log may be compacted without breaking a snapshot transfer. */
  get keptFrom(): LogIndex {
    let lowest = this.#raft.commit;
    for (const { snapshot } of this.#followers.all())
      if (snapshot !== undefined && snapshot.meta.index < lowest) lowest = snapshot.meta.index;
    return lowest;
  }

  #shipRecords(follower: ReplicationProgress, now: Millis): void {
    const { log, limits } = this.#raft;
    while (follower.maySend && follower.next <= log.lastIndex) {
      if (follower.next <= log.baseIndex) return this.#startSnapshot(follower, now);
      this.#send(follower, log.take(follower.next, { records: limits.appendRecords, bytes: limits.appendBytes }), now);
    }
  }

  #send(follower: ReplicationProgress, records: readonly LogRecord[], now: Millis): void {
    const { log, commit } = this.#raft;
    const previousIndex = Math.max(follower.next - 1, log.baseIndex) as LogIndex;
    follower.sent(records, now, commit);
    const flow = follower.hasInFlight ? "log" : "control";
    this.#append(follower, { previousIndex, records, now, flow });
  }

  /**
   * Two messages while records are in flight. One overtakes them, so it must not depend on them: it names the index that
   * the follower has confirmed. The other follows them and reveals whether one was lost.
   */
  #confirm(follower: ReplicationProgress, now: Millis): void {
    const { log } = this.#raft;
    if (follower.hasInFlight && follower.held >= log.baseIndex) {
      this.#append(follower, { previousIndex: follower.held, records: [], now, flow: "control" });
    }
    if (follower.lastSentAt < now || follower.snapshot !== undefined) this.#send(follower, [], now);
  }

  #append(
    follower: ReplicationProgress,
    message: {
      readonly previousIndex: LogIndex;
      readonly records: readonly LogRecord[];
      readonly now: Millis;
      readonly flow: MessageFlow;
    },
  ): void {
    const { log, term, commit, syncTo, outbox } = this.#raft;
    const { previousIndex, records, now, flow } = message;
    const append: Append = {
      type: "append",
      term,
      round: ++this.#round,
      sentAt: now,
      previousIndex,
      previousTerm: log.termAt(previousIndex) as Term,
      commit,
      lastIndex: log.lastIndex,
      syncTo,
      records,
    };
    outbox.send(follower.id, append, flow);
  }

  #startSnapshot(follower: ReplicationProgress, now: Millis): void {
    const { state, limits } = this.#raft;
    const meta = snapshotMetaOf(this.#raft);
    const pieces = state.snapshot();
    follower.snapshot = new SnapshotSender({ transfer: ++this.#transfers, meta, pieces, limits, now });
  }

  #shipSnapshot(follower: ReplicationProgress, now: Millis): void {
    const sender = follower.snapshot;
    if (sender === undefined) return;
    const isStuck = sender.tick(now, this.#timing.snapshotRetry) === "stuck";
    if (isStuck || sender.meta.index < this.#raft.log.baseIndex) return this.#startSnapshot(follower, now);
    const { outbox, term } = this.#raft;
    const { transfer, meta } = sender;
    for (let parcel = sender.next(); parcel !== undefined; parcel = sender.next()) {
      const round = ++this.#round;
      const part: SnapshotPart = { type: "snapshot-part", term, round, sentAt: now, transfer, meta, ...parcel };
      outbox.send(follower.id, part, "snapshot");
    }
  }

  #shipCommitNews(now: Millis): void {
    if (this.#commitNewsAt === undefined || now < this.#commitNewsAt) return;
    this.#commitNewsAt = undefined;
    for (const follower of this.#followers.all())
      if (follower.toldCommit < this.#raft.commit) this.#send(follower, [], now);
  }
}

/** Of the present state. */
export function snapshotMetaOf({ log, commit, membership }: RaftState<unknown>): SnapshotMeta {
  const { term, time } = log.placeAt(commit);
  return { index: commit, term, time, members: membership.at(commit) };
}

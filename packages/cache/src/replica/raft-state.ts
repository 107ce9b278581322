/** The durable state of one member: term, vote, log and member list, and how far they are stored and applied. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import type { StateMachine } from "../state-machine.ts";
import { DiskProgress } from "./disk-progress.ts";
import { CommittedLogError } from "./errors.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { LogRecord, RecordType, SnapshotMeta } from "./log-record.ts";
import { LOG_START, LogWindow, weightOf } from "./log-window.ts";
import { decodeMemberList } from "./member-list-codec.ts";
import type { MemberList } from "./members.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import type { CountsWhen } from "./replica-options.ts";
import type { WriteId } from "./replica-output.ts";

/** Receives the answers to records that this leader itself proposed. */
export interface AnswerSink<Answer> {
  applied(index: LogIndex, answer: Answer | undefined): void;
}

export interface RaftStateOptions<Answer> {
  readonly self: MemberId;
  readonly founders: MemberList;
  readonly state: StateMachine<Answer>;
  readonly countsWhen: CountsWhen;
  readonly limits: ReplicaLimits;
}

export class RaftState<Answer> {
  readonly self: MemberId;
  readonly limits: ReplicaLimits;
  readonly state: StateMachine<Answer>;
  readonly outbox: Outbox<Answer>;
  readonly countsWhen: CountsWhen;
  log = new LogWindow(LOG_START);
  membership: Membership;
  disk = new DiskProgress(0 as LogIndex);
  /** Bytes of records applied since the start; used to decide when the next snapshot is due. */
  appliedBytes = 0;
  #term = 0 as Term;
  #votedFor: MemberId | undefined;
  #commit = 0 as LogIndex;
  /** Known to be committed, whether applied or not. */
  #committed = 0 as LogIndex;
  #standsOn = 0 as LogIndex;
  #truncatedRecords = 0;
  #isHardStateNew = false;
  #hardStateToken: WriteId | undefined;
  #truncateFrom: LogIndex | undefined;
  #unwritten: LogRecord[] = [];
  #syncTo = 0 as LogIndex;

  constructor(options: RaftStateOptions<Answer>) {
    this.self = options.self;
    this.limits = options.limits;
    this.state = options.state;
    this.countsWhen = options.countsWhen;
    this.outbox = new Outbox(options.limits);
    this.membership = new Membership(0 as LogIndex, options.founders);
  }

  get term(): Term {
    return this.#term;
  }

  get votedFor(): MemberId | undefined {
    return this.#votedFor;
  }

  /** Up to here everything is applied, too. */
  get commit(): LogIndex {
    return this.#commit;
  }

  /** Index of the snapshot last loaded or installed, 0 without one. */
  get standsOn(): LogIndex {
    return this.#standsOn;
  }

  get truncatedRecords(): number {
    return this.#truncatedRecords;
  }

  /** Up to here this member's copy counts for commits. */
  get held(): LogIndex {
    if (this.countsWhen === "synced") return this.disk.synced;
    if (this.countsWhen === "stored") return this.disk.stored;
    const unsynced = this.membership.firstAfter(this.disk.synced);
    return unsynced === undefined ? this.log.lastIndex : ((unsynced - 1) as LogIndex);
  }

  get isSingleVoter(): boolean {
    return this.membership.voters.length === 1 && this.membership.isVoter(this.self);
  }

  /** No other member will need applied records: a joiner begins with a snapshot. */
  get isAlone(): boolean {
    const { members } = this.membership;
    return members.length === 1 && members[0]?.id === this.self;
  }

  /** Adopts the state read from disk; writes none of it again. */
  load(from: {
    readonly term: Term;
    readonly votedFor: MemberId | undefined;
    readonly snapshot: SnapshotMeta | undefined;
    readonly records: readonly LogRecord[];
  }): void {
    this.#term = from.term;
    this.#votedFor = from.votedFor;
    if (from.snapshot !== undefined) this.#standAt(from.snapshot);
    for (const record of from.records) this.#remember(record);
    this.disk = new DiskProgress(this.log.lastIndex);
  }

  /** Raises the term, or records the vote in the present one; messages wait until it is on disk. */
  setHardState(term: Term, votedFor: MemberId | undefined): void {
    this.#term = term;
    this.#votedFor = votedFor;
    this.#isHardStateNew = true;
    this.outbox.hold();
  }

  get isHardStateStored(): boolean {
    return !this.#isHardStateNew && this.#hardStateToken === undefined;
  }

  append(record: LogRecord): void {
    this.#remember(record);
    this.#unwritten.push(record);
  }

  /** Appends a record that the leader itself originates. */
  appendOwn(type: RecordType, body: Uint8Array, wall: Millis): LogIndex {
    const { index, time } = this.log.last;
    const next = (index + 1) as LogIndex;
    this.append({ index: next, term: this.#term, time: (wall > time ? wall : time) as Millis, type, body });
    return next;
  }

  /** Removes uncommitted records that contradict another leader's log. */
  truncateFrom(index: LogIndex): void {
    if (index <= this.#commit) throw new CommittedLogError({ index, commit: this.#commit });
    this.#truncatedRecords += this.log.truncateFrom(index);
    this.#unwritten = this.#unwritten.filter((record) => record.index < index);
    this.#truncateFrom = (this.#truncateFrom === undefined ? index : Math.min(this.#truncateFrom, index)) as LogIndex;
    this.disk.truncateFrom(index);
    if (this.membership.truncateFrom(index)) this.tellMembers(this.membership.index <= this.#commit);
  }

  /** Some committed records are not applied yet, since the work per turn is limited. */
  get isApplying(): boolean {
    return this.#commit < this.#committed;
  }

  /** Continues what `commitTo` left. */
  applyRest(): void {
    if (this.isApplying) this.commitTo(this.#committed, undefined);
  }

  /** Applies as much as one turn may. @param index  everything up to it is committed */
  commitTo(index: LogIndex, sink: AnswerSink<Answer> | undefined): void {
    const before = this.#commit;
    const worked = this.state.work;
    if (index > this.#committed) this.#committed = index;
    while (this.#commit < index && this.state.work - worked < this.limits.appliedWork) {
      const record = this.log.at((this.#commit + 1) as LogIndex) as LogRecord;
      this.#commit = record.index;
      this.appliedBytes += weightOf(record);
      const answer = record.type === "operation" ? this.state.apply(record.body, record) : undefined;
      sink?.applied(record.index, answer);
    }
    if (this.membership.index > before && this.membership.index <= this.#commit) this.tellMembers(true);
    if (this.isAlone) this.log.compact(this.#commit);
  }

  /** A caller waits for a sync up to `index`. */
  wantSync(index: LogIndex): void {
    if (index > this.#syncTo) this.#syncTo = index;
  }

  get syncTo(): LogIndex {
    return this.#syncTo;
  }

  /** One store output for everything new since the last. */
  flush(): void {
    const syncTo = this.countsWhen === "synced" ? this.log.lastIndex : Math.min(this.#syncTo, this.log.lastIndex);
    const isSyncDue = syncTo > this.disk.syncAsked;
    const hasMembers = this.#unwritten.some((record) => record.type === "members");
    const isNew = this.#isHardStateNew || this.#truncateFrom !== undefined || this.#unwritten.length > 0;
    if (!isNew && !isSyncDue) return;
    const isSync = isSyncDue || hasMembers || this.#isHardStateNew || this.#truncateFrom !== undefined;
    const token = this.disk.begin(this.log.lastIndex, isSync);
    const hardState = this.#isHardStateNew ? { term: this.#term, votedFor: this.#votedFor } : undefined;
    if (hardState !== undefined) this.#hardStateToken = token;
    this.#isHardStateNew = false;
    this.outbox.put({
      type: "store",
      token,
      hardState,
      truncateFrom: this.#truncateFrom,
      append: this.#unwritten,
      isSync,
    });
    this.#truncateFrom = undefined;
    this.#unwritten = [];
  }

  /** @returns whether anything may follow from it: most stores change nothing if records count at once */
  stored(token: WriteId): boolean {
    const { held } = this;
    const { synced } = this.disk;
    this.disk.done(token);
    const isHardStateDone = this.#hardStateToken !== undefined && this.disk.isDone(this.#hardStateToken);
    if (isHardStateDone) {
      this.#hardStateToken = undefined;
      if (!this.#isHardStateNew) this.outbox.release();
    }
    return isHardStateDone || this.held !== held || this.disk.synced !== synced;
  }

  /** The state is already that of the snapshot; the log continues after it. @returns the token of the install */
  restart(meta: SnapshotMeta): WriteId {
    this.flush();
    this.disk.reset();
    this.#standAt(meta);
    this.tellMembers(true);
    return this.disk.begin(meta.index, true);
  }

  compact(index: LogIndex): void {
    this.log.compact(index);
    this.membership.compact(index);
  }

  tellMembers(isCommitted: boolean): void {
    this.outbox.put({ type: "members", members: this.membership.members, isCommitted });
  }

  #standAt(meta: SnapshotMeta): void {
    this.log = new LogWindow(meta);
    this.membership = new Membership(meta.index, meta.members);
    this.#commit = meta.index;
    this.#committed = meta.index;
    this.#standsOn = meta.index;
  }

  #remember(record: LogRecord): void {
    const members = record.type === "members" ? decodeMemberList(record.body, this.limits) : undefined;
    this.log.append(record);
    if (members !== undefined) this.membership.append(record.index, members);
  }
}

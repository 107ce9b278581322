/** A node's copy of an object: its state, its recent changes, and readers that follow at their own pace. */
import type { Change } from "./change.ts";
import { changeBytes, History } from "./history.ts";
import type { ObjectLimits } from "./limits.ts";
import { mergeChanges } from "./merge-changes.ts";
import { ObjectState, type Snapshot } from "./object-state.ts";
import { isSamePosition, type Position } from "./position.ts";

export type CopyLimits = Pick<ObjectLimits, "historyChanges" | "historyBytes" | "behindChanges" | "behindBytes">;

/** A whole copy: what the object is, and the changes that led there as far as they are known. */
export interface WholeCopy {
  readonly snapshot: Snapshot;
  readonly history: readonly Change[];
}

/** What a reader is given: the next change, or everything anew. */
export type Delivery =
  | { readonly type: "change"; readonly change: Change }
  /** Forget what you had. @property droppedMessages  not given since the last delivery; undefined: nobody knows */
  | { readonly type: "snapshot"; readonly snapshot: Snapshot; readonly droppedMessages: number | undefined };

export class ObjectCopy {
  readonly state = new ObjectState();
  readonly history: History;
  readonly limits: CopyLimits;
  readonly #feeds = new Set<Feed>();
  /** The last merged change, for all readers that are as far behind. */
  #merged: { readonly from: Position; readonly to: Position; readonly change: Change | undefined } | undefined;

  constructor(limits: CopyLimits) {
    this.limits = limits;
    this.history = new History(limits);
  }

  get at(): Position {
    return this.state.at;
  }

  /** @returns false, and nothing is done, where the change does not start here */
  apply(change: Change): boolean {
    if (!isSamePosition(change.from, this.at)) return false;
    this.state.apply(change);
    this.history.push(change);
    this.#wakeFeeds();
    return true;
  }

  /** Another history: readers whose position is not in it start anew. @param changes  that led to the snapshot */
  adopt(snapshot: Snapshot, changes: readonly Change[] = []): void {
    this.state.adopt(snapshot);
    this.history.restart(snapshot.at, changes);
    this.#wakeFeeds();
  }

  /** For a new home. Values are shared, as they never change. */
  whole(): WholeCopy {
    return { snapshot: this.state.snapshot(), history: this.history.last(this.history.size) };
  }

  /**
   * @param from  where the reader stands; without it, or where it is not known here, the reader starts with a snapshot
   * @param ready  called when there may be something to take
   */
  openFeed(from: Position | undefined, ready: () => void): Feed {
    const feed = new Feed(this, from, ready, () => this.#feeds.delete(feed));
    this.#feeds.add(feed);
    return feed;
  }

  /** The last so many changes as one: the same for all who ask before the next change. @returns undefined as `mergeChanges` does */
  mergeLast(distance: number): Change | undefined {
    const changes = this.history.last(distance);
    const from = changes[0]?.from;
    const { head: to } = this.history;
    if (from === undefined) return undefined;
    if (this.#merged?.to !== to || this.#merged.from !== from) {
      this.#merged = { from, to, change: mergeChanges(changes) };
    }
    return this.#merged.change;
  }

  #wakeFeeds(): void {
    for (const feed of this.#feeds) feed.wake();
  }
}

/** One reader of a copy: a place in its history, and nothing queued. */
export class Feed implements Disposable {
  readonly #copy: ObjectCopy;
  readonly #ready: () => void;
  readonly #closed: () => void;
  #at: Position | undefined;
  /** Messages sent up to there. */
  #messages: number | undefined;

  constructor(copy: ObjectCopy, from: Position | undefined, ready: () => void, closed: () => void) {
    this.#copy = copy;
    this.#ready = ready;
    this.#closed = closed;
    this.#at = from !== undefined && copy.history.distance(from) !== undefined ? from : undefined;
    const distance = this.#at === undefined ? 0 : (copy.history.distance(this.#at) ?? 0);
    if (from === undefined) this.#messages = copy.state.messageCount;
    if (this.#at !== undefined) this.#messages = copy.state.messageCount - messagesIn(lastOf(copy, distance));
  }

  /** Where the reader stands after what it took; undefined: it needs a snapshot. */
  get at(): Position | undefined {
    return this.#at;
  }

  wake(): void {
    this.#ready();
  }

  /** The next delivery; undefined once the reader has everything. */
  take(): Delivery | undefined {
    const { history, limits } = this.#copy;
    const distance = this.#at === undefined ? undefined : history.distance(this.#at);
    if (distance === undefined) return this.#takeSnapshot();
    if (distance === 0) return undefined;
    let change: Change | undefined = history.at(distance);
    if (distance > limits.behindChanges || this.#isHeavy(distance)) change = this.#copy.mergeLast(distance);
    if (change === undefined) return this.#takeSnapshot();
    this.#at = change.to;
    if (this.#messages !== undefined) this.#messages += messagesIn([change]);
    return { type: "change", change };
  }

  [Symbol.dispose](): void {
    this.#closed();
  }

  #takeSnapshot(): Delivery {
    const snapshot = this.#copy.state.snapshot();
    const before = this.#messages;
    const isKnown = before !== undefined && before <= snapshot.messageCount;
    const droppedMessages = isKnown ? snapshot.messageCount - before : undefined;
    this.#at = snapshot.at;
    this.#messages = snapshot.messageCount;
    return { type: "snapshot", snapshot, droppedMessages };
  }

  #isHeavy(distance: number): boolean {
    if (distance < 2) return false;
    let bytes = 0;
    for (const change of lastOf(this.#copy, distance)) bytes += changeBytes(change);
    return bytes > this.#copy.limits.behindBytes;
  }
}

function lastOf(copy: ObjectCopy, distance: number): readonly Change[] {
  return distance === 0 ? [] : copy.history.last(distance);
}

function messagesIn(changes: readonly Change[]): number {
  let count = 0;
  for (const { operations, droppedMessages } of changes) {
    count += droppedMessages;
    for (const { type } of operations) if (type === "message") count++;
  }
  return count;
}

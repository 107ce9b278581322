/** The ring of recent changes: what somebody missed who comes back, and which requests were done already. */
import { type Change, isMerged, type RequestId } from "./change.ts";
import type { ObjectLimits } from "./limits.ts";
import { isSamePosition, ORIGIN, type Position } from "./position.ts";

/** What a change costs beside its names and values. */
const CHANGE_BYTES = 64;

export type HistoryLimits = Pick<ObjectLimits, "historyChanges" | "historyBytes">;

export class History {
  readonly #limits: HistoryLimits;
  #changes: Change[] = [];
  /** Index of the oldest that is kept. */
  #first = 0;
  #byteSize = 0;
  #head: Position = ORIGIN;
  /** Requests of all changes after it are known. */
  #knownAfter = 0;
  readonly #requests = new Map<string, Position>();

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  get head(): Position {
    return this.#head;
  }

  get size(): number {
    return this.#changes.length - this.#first;
  }

  /** Of a change that starts at the head. */
  push(change: Change): void {
    this.#changes.push(change);
    this.#byteSize += changeBytes(change);
    this.#head = change.to;
    if (isMerged(change)) this.#knownAfter = change.to.version;
    if (change.by !== undefined) this.#requests.set(requestKey(change.by), change.to);
    while (this.size > this.#limits.historyChanges || this.#byteSize > this.#limits.historyBytes) this.#forgetOldest();
  }

  /** Everything is forgotten; `changes` lead to the head one after another. */
  restart(head: Position, changes: readonly Change[] = []): void {
    this.#changes = [];
    this.#first = 0;
    this.#byteSize = 0;
    this.#requests.clear();
    this.#head = changes[0]?.from ?? head;
    this.#knownAfter = this.#head.version;
    for (const change of changes) this.push(change);
  }

  /** How many changes lead from a position to the head; undefined where it is not on the way, or no more. */
  distance(from: Position): number | undefined {
    if (isSamePosition(from, this.#head)) return 0;
    const index = this.#indexOf(from.version);
    const found = this.#changes[index];
    return found !== undefined && isSamePosition(found.from, from) ? this.#changes.length - index : undefined;
  }

  /** @param distance  as `distance` gave it, above 0 */
  at(distance: number): Change {
    return this.#changes[this.#changes.length - distance] as Change;
  }

  /** The last so many, oldest first. */
  last(distance: number): readonly Change[] {
    return this.#changes.slice(this.#changes.length - distance);
  }

  /** Where a request was done; undefined where it was not, or `reaches` is false. */
  findRequest(id: RequestId): Position | undefined {
    return this.#requests.get(requestKey(id));
  }

  /** Whether every request that was done after a version can still be found. */
  reaches(version: number): boolean {
    return version >= this.#knownAfter;
  }

  #forgetOldest(): void {
    const oldest = this.#changes[this.#first] as Change;
    this.#first++;
    this.#byteSize -= changeBytes(oldest);
    this.#knownAfter = Math.max(this.#knownAfter, oldest.to.version);
    if (oldest.by !== undefined) this.#requests.delete(requestKey(oldest.by));
    if (this.#first < 1_024 || this.#first * 2 < this.#changes.length) return;
    this.#changes = this.#changes.slice(this.#first);
    this.#first = 0;
  }

  /** Of the first change that starts at the version or after it. */
  #indexOf(version: number): number {
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as Change).from.version < version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** About what it takes in memory and on a link. */
export function changeBytes(change: Change): number {
  let bytes = CHANGE_BYTES;
  for (const operation of change.operations) {
    bytes += 8;
    if (operation.type === "set" || operation.type === "message") {
      bytes += operation.name.length + operation.plain.bytes.length;
    } else if (operation.type === "remove") bytes += operation.name.length;
  }
  return bytes;
}

function requestKey({ client, sequence }: RequestId): string {
  return `${sequence} ${client}`;
}

/** Feeds a state operations as a log would: index by index, at times that the test sets. */
import { strict as assert } from "node:assert";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "@sluice/cache/ids";
import { CacheState } from "@sluice/cache/state/cache-state";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "@sluice/cache/state/limits";
import type {
  CacheName,
  EntryOperation,
  Operation,
  OperationAnswer,
  RequestId,
  SetOperation,
} from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";

export const CACHE = "0" as CacheName;

export class LogFeeder {
  readonly state: CacheState;
  index = 0;
  term = 1;
  time = 1_000;

  constructor(limits: Partial<StateLimits> = {}, hashSeed = 1) {
    this.state = new CacheState({ limits: { ...DEFAULT_STATE_LIMITS, ...limits }, hashSeed });
  }

  feed(operation: Operation, requestId?: RequestId): OperationAnswer {
    return this.feedBytes(encodeOperation(operation, requestId));
  }

  feedBytes(bytes: Uint8Array): OperationAnswer {
    const at = { index: ++this.index as LogIndex, term: this.term as Term, time: this.time as Millis };
    return this.state.apply(bytes, at);
  }

  /** What a leader would propose now, fed. */
  upkeep(): void {
    for (const operation of this.state.takeUpkeep(this.time as Millis)) this.feed(operation);
  }

  get(key: string, cache = CACHE): string | undefined {
    const view = this.state.find(cache, latin1Bytes(key), this.time as Millis);
    return view === undefined ? undefined : latin1(view.value);
  }

  view(key: string, cache = CACHE) {
    return this.state.find(cache, latin1Bytes(key), this.time as Millis);
  }

  keys(cache = CACHE): string[] {
    const entries = this.state.entries(cache, new Uint8Array(0), this.time as Millis);
    return [...entries].map(([key]) => latin1(key)).sort();
  }
}

export function set(key: string, value: string, more: Partial<SetOperation> = {}): SetOperation {
  return {
    type: "set",
    cache: CACHE,
    key: latin1Bytes(key),
    value: latin1Bytes(value),
    expiry: "never",
    when: "always",
    answerWith: "version",
    ...more,
  };
}

export function remove(...keys: string[]): EntryOperation {
  return { type: "delete", cache: CACHE, keys: keys.map(latin1Bytes), when: "always", answerWith: "count" };
}

export function increment(key: string, by = 1n): EntryOperation {
  return { type: "increment", cache: CACHE, key: latin1Bytes(key), by };
}

/** All pieces, copied. */
export function piecesOf(state: CacheState): Uint8Array[] {
  return [...state.snapshot()].map((piece) => piece.slice());
}

export function snapshotBytes(state: CacheState): Uint8Array {
  return Uint8Array.from(piecesOf(state).flatMap((piece) => [...piece]));
}

export function assertSameState(a: CacheState, b: CacheState): void {
  assert.ok(equal(snapshotBytes(a), snapshotBytes(b)), "both snapshots are the same");
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

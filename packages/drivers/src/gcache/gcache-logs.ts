/** Logs of the engine in the cache: one entry per record, and a head entry with the number of the last one. */
import type { BatchOperation, EntryVersion } from "@sluice/cache/state/operation";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { EntryView } from "@sluice/cache/state/entry-view";
import { checkKey, checkSequence, checkValue } from "@sluice/engine/checks";
import type { AppendResult, EngineLogs, Key, LogRecord, RepeatableOptions } from "@sluice/engine/engine";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import type { Millis } from "@sluice/base/brand";
import type { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import type { GcacheCalls } from "./gcache-calls.ts";
import { LOGS } from "./gcache-names.ts";

export interface GcacheLogsOptions {
  readonly calls: GcacheCalls;
  readonly lifecycle: EngineLifecycle;
  readonly state: CacheState;
}

export class GcacheLogs implements EngineLogs {
  readonly #calls: GcacheCalls;
  readonly #lifecycle: EngineLifecycle;
  readonly #state: CacheState;

  constructor({ calls, lifecycle, state }: GcacheLogsOptions) {
    this.#calls = calls;
    this.#lifecycle = lifecycle;
    this.#state = state;
  }

  async append(
    log: Key,
    expectedLast: number,
    value: Uint8Array,
    options: RepeatableOptions = {},
  ): Promise<AppendResult> {
    this.#lifecycle.checkOpen("append");
    checkKey(log);
    checkSequence(expectedLast, 0);
    checkValue(value);
    const copy = new Uint8Array(value);
    await this.#calls.barrier("append");
    const head = this.#find(headKey(log));
    const last = lastOf(head);
    // An append repeated under its id finds its own record as the last one, and gets the remembered answer.
    if (last !== expectedLast && (head === undefined || options.request === undefined))
      return { outcome: "conflict", last };
    const sequence = expectedLast + 1;
    const when = last === expectedLast ? (head?.version ?? "absent") : "absent";
    const answer = await this.#calls.write("append", appending({ log, sequence, value: copy, when }), options);
    if (answer.type === "batch") return { outcome: "appended", sequence };
    await this.#calls.barrier("append");
    return { outcome: "conflict", last: lastOf(this.#find(headKey(log))) };
  }

  async read(log: Key, from: number): Promise<readonly LogRecord[]> {
    this.#lifecycle.checkOpen("read");
    checkKey(log);
    checkSequence(from, 1);
    await this.#calls.barrier("read");
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let sequence = from; records.length < ENGINE_LIMITS.logReadRecords; sequence++) {
      const found = this.#find(recordKey(log, sequence));
      bytes += found?.value.length ?? 0;
      if (found === undefined || (records.length > 0 && bytes > ENGINE_LIMITS.logReadBytes)) break;
      records.push({ sequence, value: new Uint8Array(found.value) });
    }
    return records;
  }

  #find(key: Uint8Array): EntryView | undefined {
    return this.#state.find(LOGS, key, 0 as Millis);
  }
}

interface Appending {
  readonly log: Key;
  readonly sequence: number;
  readonly value: Uint8Array;
  /** The head's version when read; `absent` if it must not exist yet. */
  readonly when: EntryVersion | "absent";
}

/** Takes effect only if no other append happened since the head was read. */
function appending({ log, sequence, value, when }: Appending): BatchOperation {
  const set = { type: "set", cache: LOGS, expiry: "never", when: "always", answerWith: "version" } as const;
  return {
    type: "batch",
    conditions: [{ cache: LOGS, key: headKey(log), when }],
    operations: [
      { ...set, key: headKey(log), value: Buffer.from(String(sequence)) },
      { ...set, key: recordKey(log, sequence), value },
    ],
  };
}

function lastOf(head: EntryView | undefined): number {
  return head === undefined ? 0 : Number(Buffer.from(head.value).toString());
}

const headKey = (log: Key): Uint8Array => Buffer.from(`h${log}`);

/** The sequence has a fixed width, so that no log name can collide with the record of another log. */
const recordKey = (log: Key, sequence: number): Uint8Array =>
  Buffer.from(`r${String(sequence).padStart(16, "0")}${log}`);

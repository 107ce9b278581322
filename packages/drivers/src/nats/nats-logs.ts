/** Logs in a JetStream stream: one subject per record, so that each record number is used once. */
import { checkKey, checkSequence, checkValue } from "@sluice/engine/checks";
import type { AppendResult, EngineLogs, Key, LogRecord } from "@sluice/engine/engine";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import type { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import type { NatsStore } from "./nats-store.ts";
import { plainCopy } from "@sluice/engine/remote/plain-copy";

export interface NatsLogsParts {
  readonly store: NatsStore;
  readonly lifecycle: EngineLifecycle;
  readonly maxValueBytes: number;
}

/** Logs whose last sequence is remembered, which saves the appender a request. */
const KNOWN_LOGS = 1024;
/** Records requested at once. */
const BATCH = 16;

export class NatsLogs implements EngineLogs {
  readonly #parts: NatsLogsParts;
  /** By the subject that covers the log: a refounded store uses others. */
  readonly #ends = new Map<string, number>();

  constructor(parts: NatsLogsParts) {
    this.#parts = parts;
  }

  async append(log: Key, expectedLast: number, value: Uint8Array): Promise<AppendResult> {
    const { lifecycle, store, maxValueBytes } = this.#parts;
    lifecycle.checkOpen("append");
    checkKey(log);
    checkSequence(expectedLast, 0);
    checkValue(value, maxValueBytes);
    const own = plainCopy(value);
    const { names } = store;
    const all = names.record(log, "*");
    if (this.#ends.get(all) !== expectedLast) {
      const last = await this.#last("append", all);
      if (last !== expectedLast) return { outcome: "conflict", last };
    }
    const sequence = expectedLast + 1;
    const write = { action: "append", subject: names.record(log, sequence), expected: 0, value: own };
    if ((await store.write(write)) === undefined) return { outcome: "conflict", last: await this.#last("append", all) };
    this.#remember(all, sequence);
    return { outcome: "appended", sequence };
  }

  async read(log: Key, from: number): Promise<readonly LogRecord[]> {
    const { lifecycle, store } = this.#parts;
    lifecycle.checkOpen("read");
    checkKey(log);
    checkSequence(from, 1);
    const { names } = store;
    const end = Math.min(await this.#last("read", names.record(log, "*")), from + ENGINE_LIMITS.logReadRecords - 1);
    const records: LogRecord[] = [];
    for (let next = from, bytes = 0; next <= end; next += BATCH) {
      const sequences = Array.from({ length: Math.min(BATCH, end - next + 1) }, (_, index) => next + index);
      const values = await Promise.all(sequences.map((sequence) => store.read("read", names.record(log, sequence))));
      for (const [index, stored] of values.entries()) {
        bytes += stored?.data.length ?? 0;
        if (stored === undefined || (records.length > 0 && bytes > ENGINE_LIMITS.logReadBytes)) return records;
        records.push({ sequence: next + index, value: stored.data });
      }
    }
    return records;
  }

  /** Records are appended in order, so the last message of a log in the stream has its highest number. */
  async #last(action: string, all: string): Promise<number> {
    const stored = await this.#parts.store.read(action, all);
    const last = stored === undefined ? 0 : Number(stored.subject.slice(stored.subject.lastIndexOf(".") + 1));
    this.#remember(all, last);
    return last;
  }

  #remember(all: string, last: number): void {
    this.#ends.delete(all);
    this.#ends.set(all, last);
    if (this.#ends.size > KNOWN_LOGS) for (const oldest of this.#ends.keys()) return void this.#ends.delete(oldest);
  }
}

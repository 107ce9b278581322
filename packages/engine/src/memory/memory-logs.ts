/** The logs of a memory store. */
import type { AppendResult, Key, LogRecord } from "../engine.ts";
import { ENGINE_LIMITS } from "../limits.ts";

export class MemoryLogs {
  readonly #logs = new Map<Key, Uint8Array[]>();

  /** Copies the value. */
  append(log: Key, expectedLast: number, value: Uint8Array): AppendResult {
    const records = this.#logs.get(log) ?? [];
    if (records.length !== expectedLast) return { outcome: "conflict", last: records.length };
    this.#logs.set(log, records);
    return { outcome: "appended", sequence: records.push(value.slice()) };
  }

  read(log: Key, from: number): readonly LogRecord[] {
    const found: LogRecord[] = [];
    let bytes = 0;
    const end = from - 1 + ENGINE_LIMITS.logReadRecords;
    for (const value of this.#logs.get(log)?.slice(from - 1, end) ?? []) {
      bytes += value.length;
      if (found.length > 0 && bytes > ENGINE_LIMITS.logReadBytes) break;
      found.push({ sequence: from + found.length, value: value.slice() });
    }
    return found;
  }

  clear(): void {
    this.#logs.clear();
  }
}

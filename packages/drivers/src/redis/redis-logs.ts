/** Logs in Redis streams, whose ids count records from 1. */
import { checkKey, checkSequence, checkValue } from "@sluice/engine/checks";
import type { AppendResult, EngineLogs, Key, LogRecord } from "@sluice/engine/engine";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import type { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import { plainCopy } from "@sluice/engine/remote/plain-copy";
import type { RedisClient } from "./redis-client.ts";

/** Records requested at once. */
const BATCH = 16;

export class RedisLogs implements EngineLogs {
  readonly #line: RedisClient;
  readonly #lifecycle: EngineLifecycle;

  constructor(line: RedisClient, lifecycle: EngineLifecycle) {
    this.#line = line;
    this.#lifecycle = lifecycle;
  }

  async append(log: Key, expectedLast: number, value: Uint8Array): Promise<AppendResult> {
    this.#lifecycle.checkOpen("append");
    checkKey(log);
    checkSequence(expectedLast, 0);
    checkValue(value);
    const call = { action: "append", isWrite: true, bytes: value.length };
    const args = [expectedLast, plainCopy(value)];
    const [outcome, text] = await this.#line.script(call, "APPEND", args, [this.#line.names.log(log)]);
    const number = Number(String(text));
    return outcome === "appended" ? { outcome, sequence: number } : { outcome: "conflict", last: number };
  }

  async read(log: Key, from: number): Promise<readonly LogRecord[]> {
    this.#lifecycle.checkOpen("read");
    checkKey(log);
    checkSequence(from, 1);
    const records: LogRecord[] = [];
    for (let bytes = 0; records.length < ENGINE_LIMITS.logReadRecords; ) {
      const batch = await this.#readBatch(log, from + records.length);
      for (const record of batch) {
        bytes += record.value.length;
        if (records.length > 0 && bytes > ENGINE_LIMITS.logReadBytes) return records;
        records.push(record);
      }
      if (batch.length < BATCH) return records;
    }
    return records;
  }

  async #readBatch(log: Key, from: number): Promise<LogRecord[]> {
    const call = { action: "read", isWrite: false, bytes: 0 };
    const name = this.#line.names.log(log);
    const reply = await this.#line.command(call, "XRANGE", name, `${from}-0`, "+", "COUNT", `${BATCH}`);
    return (reply as [Buffer, [Buffer, Buffer]][]).map(([id, [, value]]) => ({
      sequence: Number.parseInt(id.toString("latin1"), 10),
      value: plainCopy(value),
    }));
  }
}

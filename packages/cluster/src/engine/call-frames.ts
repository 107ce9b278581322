/** Calls of the engine and their answers, encoded as the payload of a request on a link. */
import type { Millis } from "@sluice/base/brand";
import { unreachable } from "@sluice/base/unreachable";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { Key, LogRecord, RequestId } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineFrameError } from "./errors.ts";
import { readCount, readEpoch, readText, writeCount, writeEpoch, writeText } from "./wire-fields.ts";

/**
 * First byte of the payload; fields follow in the order of the types below. `text` is u16 bytes and UTF-8, `count` u64,
 * `epoch` two counts, a request id `text` and `count`; an optional field has a byte 0 or 1 before it; a value, a
 * message or a reason is the rest.
 */
const CALL = { get: 1, cas: 2, remove: 3, grant: 4, renew: 5, release: 6, publish: 7, append: 8, read: 9 } as const;

export type EngineCall =
  | { readonly type: "get"; readonly key: Key }
  | {
      readonly type: "cas";
      readonly request: RequestId;
      readonly key: Key;
      readonly expected: Epoch | "absent";
      readonly lease: Epoch | undefined;
      readonly value: Uint8Array;
    }
  | { readonly type: "remove"; readonly request: RequestId; readonly key: Key; readonly expected: Epoch }
  | { readonly type: "grant"; readonly ttl: Millis }
  | { readonly type: "renew"; readonly token: Epoch; readonly patience: Millis }
  | { readonly type: "release"; readonly token: Epoch }
  | { readonly type: "publish"; readonly subject: Key; readonly message: Uint8Array }
  | {
      readonly type: "append";
      readonly request: RequestId;
      readonly log: Key;
      readonly expectedLast: number;
      readonly value: Uint8Array;
    }
  | { readonly type: "read"; readonly log: Key; readonly from: number };

/** First byte of an answer in version 1; fields follow as in the types below; a record of a log has u32 bytes before its value. */
const ANSWER = {
  none: 1,
  entry: 2,
  written: 3,
  "conflict-none": 4,
  "conflict-entry": 5,
  "lease-lost": 6,
  token: 7,
  renewed: 8,
  gone: 9,
  done: 10,
  appended: 11,
  "log-conflict": 12,
  records: 13,
  unavailable: 14,
} as const;

export type EngineAnswer =
  | { readonly type: "none" | "conflict-none" | "lease-lost" | "renewed" | "gone" | "done" }
  | { readonly type: "entry" | "conflict-entry"; readonly revision: Epoch; readonly value: Uint8Array }
  | { readonly type: "written"; readonly revision: Epoch }
  | { readonly type: "token"; readonly token: Epoch }
  | { readonly type: "appended" | "log-conflict"; readonly sequence: number }
  | { readonly type: "records"; readonly records: readonly LogRecord[] }
  | { readonly type: "unavailable"; readonly isUnknown: boolean; readonly reason: string };

export function encodeCall(call: EngineCall): Uint8Array {
  const w = new ByteWriter(64).u8(CALL[call.type]);
  switch (call.type) {
    case "get":
      writeText(w, call.key);
      break;
    case "cas":
      writeRequest(w, call.request);
      writeText(w, call.key);
      writeOptional(w, call.expected === "absent" ? undefined : call.expected);
      writeOptional(w, call.lease);
      w.bytes(call.value);
      break;
    case "remove":
      writeRequest(w, call.request);
      writeText(w, call.key);
      writeEpoch(w, call.expected);
      break;
    case "grant":
      w.u32(call.ttl);
      break;
    case "renew":
      writeEpoch(w, call.token);
      w.u32(call.patience);
      break;
    case "release":
      writeEpoch(w, call.token);
      break;
    case "publish":
      writeText(w, call.subject);
      w.bytes(call.message);
      break;
    case "append":
      writeRequest(w, call.request);
      writeText(w, call.log);
      writeCount(w, call.expectedLast);
      w.bytes(call.value);
      break;
    case "read":
      writeText(w, call.log);
      writeCount(w, call.from);
      break;
    default:
      return unreachable(call);
  }
  return w.finish();
}

/** Values are views of `bytes`. @throws {WireError} */
export function decodeCall(bytes: Uint8Array): EngineCall {
  const r = new ByteReader(bytes);
  const kind = r.u8();
  switch (kind) {
    case CALL.get:
      return { type: "get", key: readText(r) };
    case CALL.cas:
      return {
        type: "cas",
        request: readRequest(r),
        key: readText(r),
        expected: readOptional(r) ?? "absent",
        lease: readOptional(r),
        value: r.rest(),
      };
    case CALL.remove:
      return { type: "remove", request: readRequest(r), key: readText(r), expected: readEpoch(r) };
    case CALL.grant:
      return { type: "grant", ttl: r.u32() as Millis };
    case CALL.renew:
      return { type: "renew", token: readEpoch(r), patience: r.u32() as Millis };
    case CALL.release:
      return { type: "release", token: readEpoch(r) };
    case CALL.publish:
      return { type: "publish", subject: readText(r), message: r.rest() };
    case CALL.append:
      return { type: "append", request: readRequest(r), log: readText(r), expectedLast: readCount(r), value: r.rest() };
    case CALL.read:
      return { type: "read", log: readText(r), from: readCount(r) };
    default:
      throw new EngineFrameError({ detail: `a call of unknown kind ${kind}` });
  }
}

export function encodeAnswer(answer: EngineAnswer): Uint8Array {
  const w = new ByteWriter(64).u8(ANSWER[answer.type]);
  switch (answer.type) {
    case "entry":
    case "conflict-entry":
      writeEpoch(w, answer.revision);
      w.bytes(answer.value);
      break;
    case "written":
      writeEpoch(w, answer.revision);
      break;
    case "token":
      writeEpoch(w, answer.token);
      break;
    case "appended":
    case "log-conflict":
      writeCount(w, answer.sequence);
      break;
    case "records":
      for (const { sequence, value } of answer.records) {
        writeCount(w, sequence);
        w.u32(value.length).bytes(value);
      }
      break;
    case "unavailable":
      w.u8(answer.isUnknown ? 1 : 0).utf8(answer.reason);
      break;
    default: // no fields
  }
  return w.finish();
}

/** Values are views of `bytes`. @throws {WireError} */
export function decodeAnswer(bytes: Uint8Array): EngineAnswer {
  const r = new ByteReader(bytes);
  const kind = r.u8();
  const type = (Object.keys(ANSWER) as EngineAnswer["type"][]).find((name) => ANSWER[name] === kind);
  switch (type) {
    case undefined:
      throw new EngineFrameError({ detail: `an answer of unknown kind ${kind}` });
    case "entry":
    case "conflict-entry":
      return { type, revision: readEpoch(r), value: r.rest() };
    case "written":
      return { type, revision: readEpoch(r) };
    case "token":
      return { type, token: readEpoch(r) };
    case "appended":
    case "log-conflict":
      return { type, sequence: readCount(r) };
    case "records":
      return { type, records: readRecords(r) };
    case "unavailable":
      return { type, isUnknown: r.u8() === 1, reason: r.utf8(r.remaining) };
    default:
      return { type };
  }
}

function readRecords(r: ByteReader): readonly LogRecord[] {
  const records: LogRecord[] = [];
  while (r.remaining > 0) records.push({ sequence: readCount(r), value: r.bytes(r.u32()) });
  return records;
}

function writeRequest(w: ByteWriter, { client, sequence }: RequestId): void {
  writeText(w, client);
  writeCount(w, sequence);
}

function readRequest(r: ByteReader): RequestId {
  return { client: readText(r), sequence: readCount(r) };
}

function writeOptional(w: ByteWriter, epoch: Epoch | undefined): void {
  w.u8(epoch === undefined ? 0 : 1);
  if (epoch !== undefined) writeEpoch(w, epoch);
}

function readOptional(r: ByteReader): Epoch | undefined {
  return r.u8() === 0 ? undefined : readEpoch(r);
}

/** The cache seen as registers: what clients of a simulation ask, as operations of the log, and back. */
import type { Millis } from "@sluice/base/brand";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type {
  CacheName,
  EntryVersion,
  Operation,
  OperationAnswer,
  WriteCondition,
} from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { RegisterAnswer } from "@sluice/testkit/history";
import type { ClientRequest } from "@sluice/testkit/sim-client";

export interface Request extends ClientRequest {
  /** Of the value that a cas expects. */
  readonly expectedVersion: EntryVersion | undefined;
}

/** Which version a value has. */
export interface Seen {
  readonly key: string;
  readonly value: string;
  readonly version: EntryVersion;
}

const CACHE = "0" as CacheName;
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** With a request id, so that a request that is sent again is done once. */
export function operationOf(request: Request): Uint8Array {
  const [client = "", number = ""] = request.id.split("-");
  return encodeOperation(bareOperation(request), { client, sequence: Number(number) + 1 });
}

function bareOperation({ key: name, call, expectedVersion }: Request): Operation {
  const key = utf8.encoder.encode(name);
  if (call.type === "delete") {
    return { type: "delete", cache: CACHE, keys: [key], when: "always", answerWith: "count" };
  }
  if (call.type === "get") throw new TypeError("Cannot propose a get: it is read");
  const value = utf8.encoder.encode(call.value);
  const isSwap = call.type === "cas";
  const when: WriteCondition = isSwap ? (expectedVersion ?? "absent") : "always";
  return { type: "set", cache: CACHE, key, value, expiry: "never", when, answerWith: "version" };
}

/** Undefined where the answer does not say what happened. */
export function registerAnswerOf(
  { key, call }: Request,
  answer: OperationAnswer,
): { readonly answer: RegisterAnswer; readonly seen?: Seen } | undefined {
  if (answer.type === "count") return { answer: { type: "success", success: answer.count > 0 } };
  if (answer.type === "kept") return { answer: { type: "success", success: false } };
  if (answer.type !== "written" || !("value" in call)) return undefined;
  const seen = { key, value: call.value, version: answer.version };
  return { answer: call.type === "put" ? { type: "done" } : { type: "success", success: true }, seen };
}

export function valueOf(
  state: CacheState,
  key: string,
  wall: Millis,
): { readonly value: string; readonly version: EntryVersion } | undefined {
  const entry = state.find(CACHE, utf8.encoder.encode(key), wall);
  return entry === undefined ? undefined : { value: utf8.decoder.decode(entry.value), version: entry.version };
}

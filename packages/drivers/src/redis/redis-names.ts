/** Names of one engine's keys and channels on a Redis server, and the encoding of published changes. */
import type { Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";

/** All in one slot of a Redis cluster, since scripts use several at once. */
export interface RedisNames {
  /** Prefix of the names of entries, leases, logs and subjects. */
  readonly root: string;
  /** Channel on which every change is published. */
  readonly changes: string;
  log(log: Key): string;
  channel(subject: Key): string;
}

export function redisNames(engineName: string): RedisNames {
  const root = `{${engineName}}:`;
  return {
    root,
    changes: `${root}changes`,
    log: (log) => `${root}g:${log}`,
    channel: (subject) => `${root}m:${subject}`,
  };
}

/** In the scripts' format: `<generation>.<number>`. */
export function readEpoch(text: string): Epoch | undefined {
  const found = /^(\d{1,16})\.(\d{1,16})$/.exec(text);
  if (found === null) return undefined;
  const [generation, number] = [Number(found[1]), Number(found[2])];
  return Number.isSafeInteger(generation) && Number.isSafeInteger(number) ? { generation, number } : undefined;
}

/** One published change. `token`: a lease was granted, which takes a number too. */
export type Change =
  | { readonly type: "put"; readonly revision: Epoch; readonly key: Key; readonly value: Uint8Array }
  | { readonly type: "deleted"; readonly revision: Epoch; readonly key: Key }
  | { readonly type: "token"; readonly revision: Epoch };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;
/** The first line ends within this many bytes: a letter, an epoch and a length. */
const LINE_BYTES = 64;

/**
 * `P|D|T <epoch> <bytes of the key>`, a newline, the key, the value. Each change has the next number, so a watch
 * notices a missing one.
 *
 * @returns undefined for anything our scripts do not publish. The value is a view of the message
 */
export function decodeChange(message: Uint8Array): Change | undefined {
  const end = message.subarray(0, LINE_BYTES).indexOf(NEWLINE);
  const [kind, epoch = "", length = ""] =
    end < 0 ? [] : new TextDecoder("latin1").decode(message.subarray(0, end)).split(" ");
  const revision = readEpoch(epoch);
  const keyEnd = end + 1 + Number(length);
  if (revision === undefined || !/^\d{1,5}$/.test(length) || keyEnd > message.length) return undefined;
  if (kind === "T") return { type: "token", revision };
  const key = decodeKey(message.subarray(end + 1, keyEnd));
  if (key === undefined || (kind !== "P" && kind !== "D")) return undefined;
  if (kind === "D") return { type: "deleted", revision, key };
  return { type: "put", revision, key, value: message.subarray(keyEnd) };
}

/** `undefined`: not UTF-8, so not a key of ours. */
export function decodeKey(bytes: Uint8Array): Key | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

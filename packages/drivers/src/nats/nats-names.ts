/** Names that keys and logs go by on a NATS server, whose subjects take few characters. */
import type { Key } from "@sluice/engine/engine";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Stand for themselves; all others become `=hh`, one per byte of UTF-8. */
const PLAIN = /^[-/_A-Za-z0-9]$/;

/** One subject token: at most three characters per byte of the key. */
export function encodeToken(key: Key): string {
  let token = "";
  for (const byte of encoder.encode(key)) {
    const character = String.fromCharCode(byte);
    token += PLAIN.test(character) ? character : `=${byte.toString(16).padStart(2, "0")}`;
  }
  return token;
}

/** `undefined` for what `encodeToken` never makes: somebody else's subject. */
export function decodeToken(token: string): Key | undefined {
  const bytes: number[] = [];
  for (const [part, escaped] of token.matchAll(/=([0-9a-f]{2})|[^]/g)) {
    if (escaped === undefined && !PLAIN.test(part)) return undefined;
    bytes.push(escaped === undefined ? part.charCodeAt(0) : Number.parseInt(escaped, 16));
  }
  try {
    const key = decoder.decode(Uint8Array.from(bytes));
    return encodeToken(key) === token ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Where the parts of one generation's data live, all in one stream, so that all share its order. */
export interface NatsNames {
  readonly bucket: string;
  readonly streamName: string;
  /** Keys and leases: what a watch listens to. */
  readonly watched: string;
  key(key: Key): string;
  lease(slot: number): string;
  /** One subject per record. */
  record(log: Key, sequence: number | "*"): string;
}

export function natsNames(engineName: string, generation: number): NatsNames {
  const bucket = `${engineName}-${generation}`;
  const root = `$KV.${bucket}`;
  return {
    bucket,
    streamName: `KV_${bucket}`,
    watched: `${root}.s.>`,
    key: (key) => `${root}.s.k.${encodeToken(key)}`,
    lease: (slot) => `${root}.s.l.${slot}`,
    record: (log, sequence) => `${root}.g.${encodeToken(log)}.${sequence}`,
  };
}

export type WatchedName =
  | { readonly kind: "key"; readonly key: Key }
  | { readonly kind: "lease"; readonly slot: number };

/** @param subject  one that `NatsNames.watched` covers */
export function readWatchedName(subject: string): WatchedName | undefined {
  const [, , , kind, token = ""] = subject.split(".");
  if (kind === "k") {
    const key = decodeToken(token);
    return key === undefined ? undefined : { kind: "key", key };
  }
  return kind === "l" && /^\d{1,9}$/.test(token) ? { kind: "lease", slot: Number(token) } : undefined;
}

/** What a JetStream server says in the reply subject of each message that it delivers. */
export interface Delivery {
  readonly streamSequence: number;
  readonly consumerSequence: number;
  /** Messages of this consumer still to come. */
  readonly pending: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`; newer servers put a domain
 * and an account before the stream, and a token behind.
 */
export function readDelivery(reply: string | undefined): Delivery | undefined {
  const parts = reply?.split(".") ?? [];
  if (parts[0] !== "$JS" || parts[1] !== "ACK" || parts.length < 9) return undefined;
  const at = parts.length === 9 ? 5 : 7;
  const [streamSequence, consumerSequence, , pending] = parts.slice(at, at + 4).map(Number);
  if (!Number.isSafeInteger(streamSequence) || !Number.isSafeInteger(consumerSequence)) return undefined;
  if (!Number.isSafeInteger(pending)) return undefined;
  return { streamSequence, consumerSequence, pending } as Delivery;
}

/** Encodes keys and logs as NATS subjects, which allow few characters. */
import type { Key } from "@sluice/engine/engine";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Unescaped characters; all others become `=hh`, one per byte of UTF-8. */
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

/** `undefined` for a token that `encodeToken` never makes: a foreign subject. */
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

/** Subjects of one generation's data, all in one stream, which gives them one order. */
export interface NatsNames {
  readonly bucket: string;
  readonly streamName: string;
  /** Keys and leases: the subjects of a watch. */
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

/** @param subject  covered by `NatsNames.watched` */
export function readWatchedName(subject: string): WatchedName | undefined {
  const [, , , kind, token = ""] = subject.split(".");
  if (kind === "k") {
    const key = decodeToken(token);
    return key === undefined ? undefined : { kind: "key", key };
  }
  return kind === "l" && /^\d{1,9}$/.test(token) ? { kind: "lease", slot: Number(token) } : undefined;
}

/** The delivery facts in the reply subject of each message from JetStream. */
export interface Delivery {
  readonly streamSequence: number;
  readonly consumerSequence: number;
  /** Messages pending for this consumer. */
  readonly pending: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`; newer servers add a domain
 * and an account before the stream, and a token at the end.
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

/**
 * A set without condition, expiry, lease or previous value, in a cache with a name of one character: a client's
 * plain SET. Most writes are of this kind, so it is encoded and applied directly from its parts, without views.
 *
 * | form         | field                        |
 * | ------------ | ---------------------------- |
 * | u8           | kind: set                    |
 * | u8, u8       | length of the name, the name |
 * | u8           | flags: none                  |
 * | u16, …       | key                          |
 * | u32, …       | value, up to the end         |
 */
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import type { AppliedAt } from "../state-machine.ts";
import type { EntryPlaces } from "./entry-places.ts";
import { KIND } from "./operation-kind.ts";
import type { CacheName, EntryVersion, OperationAnswer } from "./operation.ts";
import type { StateContents } from "./state-contents.ts";

const KEY_AT = 6;

/** Bytes of a plain set besides its key and value. */
export const PLAIN_SET_BYTES = KEY_AT + 4;

/** Whether the short form can express it. */
export function isPlainCache(cache: CacheName): boolean {
  return cache.length === 1 && cache.charCodeAt(0) < 0x80;
}

/** The same bytes as the general codec. @param cache  a plain one */
export function writePlainSet(w: ByteWriter, cache: CacheName, from: EntryPlaces): void {
  w.u8(KIND.set).u8(1).u8(cache.charCodeAt(0)).u8(0);
  w.u16(from.keyLength).range(from.keyBytes, from.keyStart, from.keyLength);
  w.u32(from.valueLength).range(from.valueBytes, from.valueStart, from.valueLength);
}

/**
 * Same effect as `editEntry`, including eviction.
 * @returns undefined for any other operation, for a missing cache, and for anything to be refused
 */
export function applyPlainSet(contents: StateContents, bytes: Uint8Array, at: AppliedAt): OperationAnswer | undefined {
  if (bytes.length < PLAIN_SET_BYTES || bytes[0] !== KIND.set || bytes[1] !== 1 || bytes[3] !== 0) return undefined;
  const cache = contents.findCache(String.fromCharCode(bytes[2] as number) as CacheName);
  const from = pointInto(bytes, contents.places);
  if (cache === undefined || from === undefined) return undefined;
  const { keyLength, valueLength } = from;
  const { limits } = contents;
  const isSmall = keyLength <= limits.keyBytes && valueLength <= limits.valueBytes;
  if (!isSmall || !cache.admits(keyLength, valueLength)) return undefined;
  const version = at.index as number as EntryVersion;
  cache.overwrite(from, at.time, version);
  from.forget();
  cache.evict(version);
  return { type: "written", version };
}

/** @returns `places`, or undefined when the lengths do not fit */
function pointInto(bytes: Uint8Array, places: EntryPlaces): EntryPlaces | undefined {
  const keyLength = ((bytes[KEY_AT - 2] as number) << 8) | (bytes[KEY_AT - 1] as number);
  const head = KEY_AT + keyLength;
  const valueLength = bytes.length - head - 4;
  if (valueLength < 0) return undefined;
  const high = ((bytes[head] as number) << 8) | (bytes[head + 1] as number);
  const low = ((bytes[head + 2] as number) << 8) | (bytes[head + 3] as number);
  if (high * 0x1_0000 + low !== valueLength) return undefined;
  return places.pointKey(bytes, KEY_AT, keyLength).pointValue(bytes, head + 4, valueLength);
}

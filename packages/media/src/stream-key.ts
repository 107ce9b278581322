/** The address of a live stream: one canonical path, however an encoder split its URL. */
import type { Brand } from "@sluice/base/brand";
import { KEY_LIMITS } from "./limits.ts";

/** Path parts joined by `/`, none of them empty, no query; the first part is the application. */
export type StreamKey = Brand<string, "StreamKey">;

/** Text of an address: `url`, where percent escapes and queries mean something, or the key itself, where nothing does. */
type Spelling = "url" | "plain";

/** Characters of a URL for one of the key, at most: three bytes, each escaped. */
const URL_CHARACTERS_PER_KEY_CHARACTER = 9;

/**
 * Joins what a client sent as application and stream name: `live` + `room/cam` and `live/room` + `cam` are one stream.
 * Both are parts of a URL: queries are removed, empty parts dropped, percent escapes decoded, once.
 *
 * @returns `undefined` when nothing is left, a part is `.` or `..`, holds a control character or what is no UTF-8, or a
 *   limit is passed
 */
export function findStreamKeyOfUrl(...paths: readonly string[]): StreamKey | undefined {
  const bare = paths.map((path) => path.split("?", 1)[0] as string);
  const longest = KEY_LIMITS.keyCharacters * URL_CHARACTERS_PER_KEY_CHARACTER;
  return bare.some((path) => path.length > longest) ? undefined : keyOf(bare, "url");
}

/** Takes a key as it is, from the API, the command line or a token: `%` and `?` are characters like any other. */
export function findStreamKey(text: string): StreamKey | undefined {
  return text.length > KEY_LIMITS.keyCharacters * 2 ? undefined : keyOf([text], "plain");
}

/** The path of a URL, without slash before it, that `findStreamKeyOfUrl` reads as this key. */
export function urlPathOf(key: StreamKey): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** The application a key belongs to. */
export function applicationOf(key: StreamKey): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

function keyOf(paths: readonly string[], spelling: Spelling): StreamKey | undefined {
  const raw = paths.flatMap((path) => path.split("/")).filter((part) => part !== "");
  const parts = spelling === "plain" ? raw : raw.map(decodePart);
  if (parts.length === 0 || parts.length > KEY_LIMITS.keyParts || !parts.every(isLegalPart)) return undefined;
  const key = parts.join("/");
  return key.length > KEY_LIMITS.keyCharacters ? undefined : (key as StreamKey);
}

function decodePart(raw: string): string | undefined {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** U+FFFD stands where bytes were no UTF-8: two names of such bytes would be one key. */
const ILLEGAL = /[\p{Cc}\ufffd/]/u;

function isLegalPart(part: string | undefined): boolean {
  return part !== undefined && part !== "." && part !== ".." && part.isWellFormed() && !ILLEGAL.test(part);
}

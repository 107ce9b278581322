/** The address of a live stream: one canonical path, however an encoder split its URL. */
import type { Brand } from "@sluice/base/brand";
import { KEY_LIMITS } from "./limits.ts";

/** Path parts joined by `/`, none of them empty, no query; the first part is the application. */
export type StreamKey = Brand<string, "StreamKey">;

/**
 * Joins what a client sent as application and stream name: `live` + `room/cam` and `live/room` + `cam` are one stream.
 * Queries are removed, empty parts dropped, percent escapes decoded.
 *
 * @returns `undefined` when nothing is left, a part is `.` or `..`, holds a control character, or a limit is passed
 */
export function findStreamKey(...paths: readonly string[]): StreamKey | undefined {
  const parts: string[] = [];
  for (const path of paths) {
    const query = path.indexOf("?");
    const bare = query < 0 ? path : path.slice(0, query);
    if (bare.length > KEY_LIMITS.keyCharacters) return undefined;
    for (const raw of bare.split("/")) {
      if (raw === "") continue;
      const part = decodePart(raw);
      if (part === undefined || !isLegalPart(part)) return undefined;
      parts.push(part);
    }
  }
  const key = parts.join("/");
  if (parts.length === 0 || parts.length > KEY_LIMITS.keyParts || key.length > KEY_LIMITS.keyCharacters)
    return undefined;
  return key as StreamKey;
}

/** The application a key belongs to. */
export function applicationOf(key: StreamKey): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

function decodePart(raw: string): string | undefined {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function isLegalPart(part: string): boolean {
  if (part === "." || part === ".." || part.includes("/")) return false;
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

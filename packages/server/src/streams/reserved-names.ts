/** Keys that no stream of a client may have, since paths on the HTTP port begin with them: refused over every protocol alike. */
import type { StreamKey } from "@sluice/media/stream-key";

/** First parts of paths that belong to the admin side, whatever they end in. */
const ADMIN_PARTS: ReadonlySet<string> = new Set(["api", "console", "metrics", "healthz", "readyz"]);

/** Holds what the server publishes itself, its test patterns and pages: all may play there. */
const OWN_PART = "demo";

/** @param path  with or without a slash at its beginning */
export function isAdminPath(path: string): boolean {
  return ADMIN_PARTS.has(firstPart(path));
}

/** Why a client may not do this with the key; `undefined` when nothing of the server's own is in its way. */
export function reservedReason(action: "publish" | "play", key: StreamKey): string | undefined {
  const part = firstPart(key);
  const isReserved = ADMIN_PARTS.has(part) || (part === OWN_PART && action === "publish");
  return isReserved ? `Names that begin with "${part}" are reserved for the server itself` : undefined;
}

function firstPart(path: string): string {
  return path.split("/", 2)[path.startsWith("/") ? 1 : 0] ?? "";
}

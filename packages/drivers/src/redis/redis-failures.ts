/** Classifies failed calls to Redis: whether the command may have been executed, and whether the server is usable. */
import { EngineUnavailableError } from "@sluice/engine/errors";
import type { Call } from "@sluice/engine/remote/pending-calls";

export const REDIS = "redis";

/** Error replies by which Redis refuses a command or script before it has written anything. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...["OOM", "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "NOAUTH", "NOPERM", "WRONGPASS", "MISCONF", "BUSY"],
  ...["MOVED", "ASK", "CLUSTERDOWN", "NOSCRIPT"],
]);

/** Sent by a server that is no longer, or not, the primary: dial again to find the right one. */
const ELSEWHERE: ReadonlySet<string> = new Set(["READONLY", "MASTERDOWN", "LOADING"]);

export function toUnavailable({ action, isWrite }: Call, error: unknown): EngineUnavailableError {
  if (error instanceof EngineUnavailableError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const isUnknown = isWrite && !REFUSALS.has(refusalOf(error) ?? "") && !wasNeverSent(error);
  return new EngineUnavailableError({ engine: REDIS, action, reason, isUnknown }, { cause: error });
}

export function isElsewhere(error: unknown): boolean {
  const cause = error instanceof EngineUnavailableError ? error.cause : error;
  return ELSEWHERE.has(refusalOf(cause) ?? "");
}

/** The first word of the server's error reply. */
function refusalOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === "ReplyError" ? error.message.split(" ", 1)[0] : undefined;
}

/** The client's own refusal without a connection. */
function wasNeverSent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable");
}

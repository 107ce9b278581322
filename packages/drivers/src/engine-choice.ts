/** Opens the configured engine on a server that may not be up yet. */
import { Backoff } from "@sluice/base/backoff";
import { unreachable } from "@sluice/base/unreachable";
import type { Engine } from "@sluice/engine/engine";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import { openNatsEngine } from "./nats/nats-engine.ts";
import { openRedisEngine } from "./redis/redis-engine.ts";

export type RemoteEngineKind = "nats" | "redis";

export interface RemoteEngineChoice extends RemoteEngineOptions {
  readonly kind: RemoteEngineKind;
}

/**
 * Makes one attempt; logs the capabilities of the engine found.
 *
 * @throws {EngineUnavailableError} when no server answers
 * @throws {EngineServerUnfitError} when it is too old, or lacks a required part
 */
export async function openRemoteEngine(choice: RemoteEngineChoice): Promise<Engine> {
  const engine = await openKind(choice);
  choice.log.info({ ...engine.capabilities() }, "state engine open");
  return engine;
}

/**
 * Tries until the server answers.
 *
 * @throws {EngineServerUnfitError} which waiting cannot fix
 * @throws the signal's reason when it aborts first
 */
export async function awaitRemoteEngine(choice: RemoteEngineChoice, signal: AbortSignal): Promise<Engine> {
  const { retryFirst: first, retryCap: cap } = timingsOf(choice);
  const backoff = new Backoff({ first, cap, factor: 2, random: choice.random });
  for (let hasWarned = false; ; hasWarned = true) {
    signal.throwIfAborted();
    try {
      return await openRemoteEngine(choice);
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      if (!hasWarned) choice.log.warn({ err: error }, "state engine not reachable yet");
    }
    await choice.clock.sleep(backoff.next(), signal);
  }
}

function openKind(choice: RemoteEngineChoice): Promise<Engine> {
  switch (choice.kind) {
    case "nats":
      return openNatsEngine(choice);
    case "redis":
      return openRedisEngine(choice);
    default:
      return unreachable(choice.kind);
  }
}

/** What a Redis server, as configured, guarantees about acknowledged writes. */
import type { Log } from "@sluice/base/log";
import type { EngineCapabilities } from "@sluice/engine/engine";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import { REDIS } from "./redis-failures.ts";
import type { RedisClient } from "./redis-client.ts";
import { EngineServerUnfitError } from "@sluice/engine/remote/remote-errors";

const CALL = { action: "open", isWrite: false, bytes: 0 };

/** @throws {EngineServerUnfitError} when it is too old */
export async function readRedisCapabilities(line: RedisClient, log: Log): Promise<EngineCapabilities> {
  const info = String(await line.command(CALL, "INFO", "server"));
  const serverVersion = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "";
  checkVersion(serverVersion);
  const setting = async (name: string): Promise<string | undefined> => readSetting(line, name);
  const policy = await setting("maxmemory-policy");
  if (policy !== undefined && policy !== "noeviction") {
    log.warn({ engine: REDIS, policy }, "Redis may evict the engine's keys when its memory is full: set noeviction");
  }
  const hasFile = (await setting("appendonly")) === "yes";
  const sync = hasFile ? await setting("appendfsync") : undefined;
  return {
    engine: REDIS,
    serverVersion,
    // With `everysec` Redis acknowledges for up to two seconds before it writes, while an earlier sync is slow.
    isDurable: sync === "always" || sync === "no",
    survivesPowerLoss: sync === "always",
    // Replicas are asynchronous: a fail-over may lose acknowledged writes.
    survivesNodeLoss: false,
    enforcesLeases: true,
    hasLogs: true,
    maxValueBytes: ENGINE_LIMITS.valueBytes,
    maxKeyBytes: ENGINE_LIMITS.keyBytes,
  };
}

/** `undefined` if the server does not tell; no guarantee is claimed then. */
async function readSetting(line: RedisClient, name: string): Promise<string | undefined> {
  try {
    const reply = await line.command(CALL, "CONFIG", "GET", name);
    return Array.isArray(reply) && reply[1] !== undefined ? String(reply[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** 6.2 introduced the range queries that the scripts use. */
function checkVersion(serverVersion: string): void {
  const [major = 0, minor = 0] = serverVersion.split(".").map((part) => Number.parseInt(part, 10));
  if (major > 6 || (major === 6 && minor >= 2)) return;
  throw new EngineServerUnfitError({ engine: REDIS, serverVersion, problem: "it needs 6.2 or later" });
}

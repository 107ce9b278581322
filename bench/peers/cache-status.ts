/** Asks a cache process how it stands. */
import { Redis } from "ioredis";

/** What `SLUICE STATUS` says, as far as it is needed here. */
export interface VoterStatus {
  readonly node: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commit: number;
  readonly elections: number;
  readonly members: readonly { readonly id: string; readonly held: number | null }[];
}

/** Undefined when it does not answer soon. */
export async function askStatus(port: number): Promise<VoterStatus | undefined> {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 500,
    commandTimeout: 500,
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return JSON.parse(String(await redis.call("SLUICE", "STATUS"))) as VoterStatus;
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

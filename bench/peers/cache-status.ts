/** Asks a cache process for its status. */
import { Redis } from "ioredis";

/** The fields of `SLUICE STATUS` used here. */
export interface VoterStatus {
  readonly node: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commit: number;
  readonly elections: number;
  readonly members: readonly { readonly id: string; readonly held: number | null }[];
}

/** Undefined without a prompt answer. */
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

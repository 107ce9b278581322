/** Parses the address of a Redis server, or of the Sentinels that know it. */
import type { RedisOptions } from "ioredis";

/** Options for ioredis. */
export type RedisAddress =
  | { readonly kind: "direct"; readonly url: string }
  | {
      readonly kind: "sentinels";
      readonly options: Pick<RedisOptions, "sentinels" | "name" | "username" | "password">;
    };

const SENTINEL_PORT = 26_379;
const SENTINEL_URL = /^redis\+sentinel:\/\/(?:([^@/]*)@)?([^@/]+)\/([^/?#]+)$/;

/**
 * `redis://…` and `rediss://…` unchanged; `redis+sentinel://user:password@host:port,host:port/name` for the server
 * with that name at those Sentinels. The credentials are those of the server.
 */
export function readRedisAddress(url: string): RedisAddress {
  const [, credentials = "", hosts, name] = SENTINEL_URL.exec(url) ?? [];
  if (hosts === undefined || name === undefined) return { kind: "direct", url };
  const [username = "", password = ""] = credentials.split(":", 2).map(decodeURIComponent);
  return {
    kind: "sentinels",
    options: {
      sentinels: hosts.split(",").map(readHost),
      name: decodeURIComponent(name),
      ...(username !== "" && { username }),
      ...(password !== "" && { password }),
    },
  };
}

/** Removes the brackets around an IPv6 address. */
function readHost(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: port === undefined ? SENTINEL_PORT : Number(port) };
}

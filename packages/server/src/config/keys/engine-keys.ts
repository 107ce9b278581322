/** Keys of the state engine, and of the cache's own port. */
import { type KeyTable, key } from "../key.ts";
import { choice, optional, PATH, PORT, text, wordOr } from "../kinds-plain.ts";

const SECRET = text({ accepts: "text of at least 16 characters", pattern: /^.{16,}$/s });

export const ENGINE_KEYS = {
  "engine.kind": key(
    choice("auto", "off", "gcache", "nats", "redis"),
    "auto",
    "Where shared state is kept: `gcache` in this process with its disk under `data.dir`, `nats` or `redis` on the server of `engine.url`. `auto` is `gcache`, which a node alone opens when its first shared object is used. With `off` persistent shared objects are refused, and in a cluster all that are shared.",
  ),
  "engine.url": {
    ...key(
      optional(text({ accepts: "a nats:// or redis:// URL", pattern: /^(nats|tls|redis|rediss):\/\/[^\s]{1,1000}$/ })),
      undefined,
      "Server of the engine, such as `nats://user:password@host:4222` or `redis://host:6379/0`.",
    ),
    secret: true,
  },
  "cache.resp.port": key(
    wordOr("off", PORT),
    "off",
    "Port on which Redis clients use the embedded cache (6401 is usual); needs `engine.kind: gcache`. On 127.0.0.1 alone, unless there is a password.",
  ),
  "cache.resp.password": {
    ...key(
      optional(SECRET),
      undefined,
      "Password that Redis clients must give (AUTH). With it the port is bound to `listen.host`.",
    ),
    secret: true,
  },
  "cache.resp.passwordFile": key(optional(PATH), undefined, "File that holds it; line breaks around it are dropped."),
} as const satisfies KeyTable;

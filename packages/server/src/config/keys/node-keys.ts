/** Keys about the process itself: who it is, where it keeps things, how it logs and stops. */
import { type KeyTable, key, runningKey } from "../key.ts";
import { optional, PATH, text, wordOr, choice } from "../kinds-plain.ts";
import { list } from "../kinds-lists.ts";
import { NODE_ID } from "../kinds-nodes.ts";
import { duration } from "../kinds-units.ts";

const HOST_PORT = text({
  accepts: "`host` or `host:port`, IPv6 in brackets",
  pattern: /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i,
});

export const NODE_KEYS = {
  "node.id": key(
    NODE_ID,
    "(host name, with -N under --instance N)",
    "Name of this node in logs, metrics, the admin answers and the cluster. Must stay the same over restarts and differ between nodes: of two that run under one id the second is refused.",
  ),
  "node.roles": key(
    list(choice("origin", "edge", "voter"), 1),
    "origin,edge",
    "What this node is for in a cluster: `origin` may be the home of streams and rooms, `edge` serves clients, `voter` alone is a small node that only votes on the state: its `rtmp.port` is off unless set, and every other port of clients may be.",
  ),
  "node.public.rtmp": key(
    optional(HOST_PORT),
    undefined,
    "Address that RTMP clients can reach this node at, where it differs from the listener's (NAT, containers). Shown by the console and used in hand-overs.",
  ),
  "node.public.http": key(
    optional(HOST_PORT),
    undefined,
    "The same for HTTP, and for WebSocket where that has none of its own.",
  ),
  "node.public.ws": key(optional(HOST_PORT), undefined, "The same for WebSocket."),
  "node.public.cluster": key(
    optional(text({ accepts: "`host:port`, IPv6 in brackets", pattern: /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}$/i })),
    undefined,
    "Address that other nodes can dial this one at, where it differs from what `cluster.host` and `cluster.port` bind.",
  ),
  "data.dir": key(
    PATH,
    "./data",
    "Folder for what outlives a restart. Under `--instance N` the default is `./data-N`.",
  ),
  "listen.host": key(
    text({ accepts: "an IP address or a host name", pattern: /^[0-9A-Za-z.:_-]{1,255}$/ }),
    "0.0.0.0",
    "Address that every listener binds; `127.0.0.1` keeps the node to this machine, `::` takes IPv6 and IPv4.",
  ),
  "shutdown.timeout": runningKey(
    duration({ min: 0, max: 3_600_000 }),
    "10s",
    "How long a node that stops or drains lets sessions end by themselves before it ends them; nothing new begins meanwhile.",
  ),
  "log.format": key(
    choice("auto", "json", "pretty"),
    "auto",
    "`json` is one object a line, `pretty` is for eyes, `auto` is pretty on a terminal and json elsewhere. Logs go to standard error.",
  ),
  "log.level": runningKey(
    choice("debug", "info", "warn", "error", "silent"),
    "info",
    "The least grave line that is logged.",
  ),
  "capture.dir": key(
    wordOr("off", PATH),
    "off",
    "Folder that gets the bytes of every RTMP connection, one file each, for finding faults. Files hold stream keys and tokens; never leave it on.",
  ),
} as const satisfies KeyTable;

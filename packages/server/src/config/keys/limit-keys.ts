/** Keys of the node's limits; 0 means no limit where the range begins at 0. */
import { DEFAULT_DIRECTORY_LIMITS, DEFAULT_MEMORY_LIMITS, DEFAULT_STREAM_LIMITS } from "@sluice/media/limits";
import { DEFAULT_RTMP_LIMITS } from "@sluice/rtmp/limits";
import { DEFAULT_PLAY_LIMITS } from "../../sessions/limits.ts";
import { type KeyTable, key, runningKey } from "../key.ts";
import { list, NETWORK } from "../kinds-lists.ts";
import { integer } from "../kinds-plain.ts";
import { duration, printSize, size } from "../kinds-units.ts";

const COUNT = integer({ min: 0, max: 10_000_000 });

export const LIMIT_KEYS = {
  "limits.connections": runningKey(COUNT, "20000", "Connections open at once, of all protocols; 0: no limit."),
  "limits.connectionsPerAddress": runningKey(COUNT, "2000", "Connections open at once from one address; 0: no limit."),
  "limits.connectsPerSecondPerAddress": runningKey(
    COUNT,
    "200",
    "New connections a second from one address, with bursts of twice as many; 0: no limit.",
  ),
  "limits.handshakes": runningKey(
    COUNT,
    "4096",
    "Connections at once that have not finished their TLS handshake, or not sent an HTTP request yet; one more ends the oldest of the address that has most of them. 0: no limit.",
  ),
  "limits.handshakesPerAddress": runningKey(
    COUNT,
    "512",
    "Such connections from one address; one more ends its oldest. 0: no limit.",
  ),
  "limits.exempt": runningKey(
    list(NETWORK),
    "127.0.0.0/8,::1",
    "Networks that the limits per address leave alone: this machine, a reverse proxy.",
  ),
  "limits.publishers": runningKey(COUNT, "2000", "Publishers at once; 0: no limit."),
  "limits.streams": runningKey(
    COUNT,
    String(DEFAULT_DIRECTORY_LIMITS.streams),
    "Streams published at once, those in their grace window included; at the limit a new publisher ends the oldest of those. 0: no limit.",
  ),
  "limits.waitingStreams": runningKey(
    COUNT,
    String(DEFAULT_DIRECTORY_LIMITS.waitingStreams),
    "Streams that viewers wait for and nobody publishes; 0: no limit.",
  ),
  "limits.waitsPerConnection": runningKey(
    integer({ min: 1, max: 1_000 }),
    String(DEFAULT_PLAY_LIMITS.waitsPerConnection),
    "Streams without a publisher that one connection may wait for.",
  ),
  "limits.outputPerConnection": runningKey(
    size({ min: 131_072, max: 1_073_741_824 }),
    "1MiB",
    "Bytes that may wait for one peer to take them; above it nothing more is read from it or burst to it, and one that takes nothing for `delivery.lag.stallTimeout` is disconnected.",
  ),
  "limits.outputTotal": runningKey(
    size({ min: 1_048_576, max: 1_099_511_627_776 }),
    "512MiB",
    "The same for all peers together: from half of it on each may leave only 64 KiB waiting, and above it no session is opened. What viewers of a stream share is not counted while the stream holds it itself.",
  ),
  "limits.viewersPerStream": runningKey(
    COUNT,
    String(DEFAULT_STREAM_LIMITS.subscribers),
    "Viewers of one stream; 0: no limit.",
  ),
  "limits.publisherMemory": key(
    size({ min: 0, max: 1_099_511_627_776 }),
    printSize(DEFAULT_MEMORY_LIMITS.connectionBytes),
    "Bytes of cached pictures and set-up of all streams that one connection publishes; beyond it the largest cache is dropped until its next key frame. Above `gop.maxBytes`. 0: no limit.",
  ),
  "limits.streamMemory": key(
    size({ min: 0, max: 1_099_511_627_776 }),
    printSize(DEFAULT_MEMORY_LIMITS.nodeBytes),
    "Bytes of cached pictures, set-up and encoded frames of all streams; beyond it the largest caches are dropped until their next key frame. 0: no limit.",
  ),
  "limits.egress": runningKey(
    integer({ min: 0, max: 10_000_000 }),
    "0",
    "Megabits a second that the node should send at most: the share in use counts into its heat, and nothing is cut. 0: egress does not count.",
  ),
  "limits.memory": runningKey(
    size({ min: 0, max: 2 ** 50 }),
    "0",
    "Bytes of memory that the node should use at most: the share in use counts into its heat. 0: what this machine has, or what its control group allows.",
  ),
  "limits.messageBytes": key(
    size({ min: 65_536, max: 16_777_215 }),
    printSize(DEFAULT_RTMP_LIMITS.messageBytes),
    "Bytes of one RTMP message, such as a key frame.",
  ),
  "limits.handshakeTimeout": key(
    duration({ min: 100, max: 600_000 }),
    "10s",
    "From accepting a connection to the end of its handshake: TLS, RTMP, or HTTP request head.",
  ),
  "limits.connectTimeout": runningKey(
    duration({ min: 100, max: 600_000 }),
    "10s",
    "From the RTMP handshake, or the upgrade to `sluice.v1`, to `connect`.",
  ),
  "limits.idleTimeout": runningKey(
    duration({ min: 1_000, max: 86_400_000 }),
    "60s",
    "How long a connection may neither publish nor play, and how long a publisher, or a client of `sluice.v1`, may be silent.",
  ),
  "limits.requestHeaderBytes": key(size({ min: 1_024, max: 1_048_576 }), "16KiB", "Bytes of one HTTP request head."),
  "limits.hookRequests": runningKey(integer({ min: 1, max: 10_000 }), "64", "Hook requests under way at once."),
  "limits.hookQueue": runningKey(
    integer({ min: 0, max: 1_000_000 }),
    "1000",
    "Hook requests that wait to be sent; beyond it clients are refused, and done reports are dropped and counted.",
  ),
} as const satisfies KeyTable;

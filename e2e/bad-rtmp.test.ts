/** Peers that misbehave on the RTMP port: each ends its own session, is counted by its code, and disturbs nobody. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { type Bystander, BYSTANDER_SETS, startBystander } from "./support/bystander.ts";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { command, message, openRaw, type RawPeer } from "./support/raw-peer.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

/** Deadlines are looked at once a second. */
const BEAT_MILLIS = 1_000;
const HANDSHAKE_MILLIS = 700;

let folder: WorkFolder;
let server: Server;
let units: Unit[];
let bystander: Bystander;

before(async () => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 4 }));
  const limits = [
    `limits.handshakeTimeout=${HANDSHAKE_MILLIS}ms`,
    "limits.connectTimeout=700ms",
    "limits.idleTimeout=1s",
  ];
  server = await startServer({
    set: [...BYSTANDER_SETS, ...limits, "publish.firstFrameTimeout=1s"],
  });
  bystander = await startBystander(server, units);
});

after(async () => {
  await bystander.finish();
  await bystander[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(() => bystander.assertLives());

/** `act` ends its session, which is counted once under the code. */
async function assertEnds(code: string, act: (peer: RawPeer) => Promise<void> | void): Promise<RawPeer> {
  const counted = (): Promise<number> => server.metric("sluice_wire_errors_total", `code="${code}"`);
  const before = await counted();
  await using peer = await openRaw(server.port());
  await act(peer);
  await peer.untilClosed();
  assert.equal(await counted(), before + 1, `sluice_wire_errors_total{code="${code}"}`);
  return peer;
}

/** Handshake done, connected as application `live`. */
async function connected(peer: RawPeer): Promise<void> {
  await peer.shake();
  peer.write(command("connect", 1, { app: "live", tcUrl: "rtmp://127.0.0.1/live" }));
  await until("Connect.Success", () => (peer.text.includes("NetConnection.Connect.Success") ? true : undefined));
}

function closedFor(reason: string): Promise<number> {
  return server.metric("sluice_sessions_closed_total", `reason="${reason}"`);
}

/** The count reaches `wanted`, and does not pass it. */
async function assertClosedFor(reason: string, wanted: number): Promise<void> {
  await until("the count", async () => ((await closedFor(reason)) >= wanted ? true : undefined));
  assert.equal(await closedFor(reason), wanted, reason);
}

const u24 = (value: number): number[] => [(value >>> 16) & 255, (value >>> 8) & 255, value & 255];

describe("bytes that are no RTMP", () => {
  const OPENINGS = [
    { says: "garbage", code: "WIRE_RTMP_VERSION", bytes: Buffer.from("99f1c2d3e4a5b6", "hex") },
    {
      says: "an HTTP request",
      code: "WIRE_RTMP_HTTP_ON_PORT",
      bytes: Buffer.from("GET /live/cam.flv HTTP/1.1\r\nHost: x\r\n\r\n"),
    },
    { says: "RTMPE", code: "WIRE_RTMP_RTMPE", bytes: Buffer.concat([Buffer.of(6), Buffer.alloc(1536, 7)]) },
  ] as const;
  for (const { says, code, bytes } of OPENINGS) {
    test(`${says} ends the session with ${code}`, async () => {
      await assertEnds(code, (peer) => peer.write(bytes));
    });
  }

  test("a TLS client is turned away with WIRE_RTMP_TLS_ON_PORT", async () => {
    const before = await server.metric("sluice_wire_errors_total", 'code="WIRE_RTMP_TLS_ON_PORT"');
    const socket = connectTls({ host: "127.0.0.1", port: server.port(), rejectUnauthorized: false });
    const failed = await new Promise<Error>((resolve) => socket.once("error", resolve));
    assert.match(failed.message, /ECONNRESET|disconnected|closed|EPROTO/i);
    assert.equal(await server.metric("sluice_wire_errors_total", 'code="WIRE_RTMP_TLS_ON_PORT"'), before + 1);
  });
});

describe("peers that dawdle", () => {
  test("a slow-loris handshake ends at its deadline however steadily it drips", async () => {
    const before = await closedFor("timeout");
    await using peer = await openRaw(server.port());
    const startedAt = performance.now();
    peer.write(Buffer.of(3));
    while (!peer.isClosed && performance.now() - startedAt < 8_000) {
      peer.write(Buffer.of(0));
      await pause(50);
    }
    const took = performance.now() - startedAt;
    assert.ok(
      peer.isClosed && took >= HANDSHAKE_MILLIS - 50 && took < HANDSHAKE_MILLIS + 3 * BEAT_MILLIS,
      `${took} ms`,
    );
    await assertClosedFor("timeout", before + 1);
  });

  test("a silent connection, one without connect, and one without purpose end too", async () => {
    const before = await closedFor("timeout");
    await using silent = await openRaw(server.port());
    await using shaken = await openRaw(server.port());
    await shaken.shake();
    await using idle = await openRaw(server.port());
    await connected(idle);
    await Promise.all([silent, shaken, idle].map((peer) => peer.untilClosed()));
    await assertClosedFor("timeout", before + 3);
  });

  test("a publisher that sends no media is ended, and its stream with it", async () => {
    const before = await closedFor("timeout");
    await using mute = await connectPeer({ port: server.port(), app: "live" });
    await mute.publish("mute");
    await mute.closed;
    await assertClosedFor("timeout", before + 1);
  });
});

describe("chunks and messages", () => {
  test("65,000 chunk streams end at the limit", async () => {
    await assertEnds("LIMIT_RTMP", async (peer) => {
      await peer.shake();
      const chunks: number[] = [];
      for (let id = 64; id < 65_064; id++) {
        const at = id - 64;
        chunks.push(0x01, at & 255, at >>> 8, 0, 0, 0, ...u24(200), 9, 0, 0, 0, 0, ...new Array<number>(128).fill(0));
        if (chunks.length > 256 * 1024) break; // far beyond the limit already
      }
      peer.write(Uint8Array.from(chunks));
    });
  });

  test("a message of 16,777,215 bytes ends at its header", async () => {
    await assertEnds("LIMIT_RTMP", async (peer) => {
      await peer.shake();
      peer.write(Uint8Array.from([0x03, 0, 0, 0, ...u24(0xffffff), 9, 0, 0, 0, 0]));
    });
  });

  test("many large messages begun and never finished end at the limit of unfinished bytes", async () => {
    await assertEnds("LIMIT_RTMP", async (peer) => {
      const size = 6_500_000;
      await peer.shake();
      peer.write(message(1, Uint8Array.of(0, ...u24(size))));
      for (const id of [4, 5, 6]) {
        peer.write(Uint8Array.from([id, 0, 0, 0, ...u24(8_000_000), 9, 0, 0, 0, 0]));
        peer.write(new Uint8Array(size));
      }
    });
  });

  const MESSAGES = [
    { says: "a chunk size of zero", code: "WIRE_RTMP_MESSAGE", bytes: message(1, Uint8Array.of(0, 0, 0, 0)) },
    { says: "a chunk size without its bytes", code: "WIRE_BYTES_SHORT", bytes: message(1, new Uint8Array(0)) },
    { says: "a command before connect", code: "WIRE_RTMP_DIALOGUE", bytes: command("createStream", 2, null) },
    {
      says: "an AMF reference to nothing",
      code: "WIRE_AMF_REFERENCE",
      bytes: message(20, Uint8Array.of(2, 0, 7, ...Buffer.from("connect"), 0, 63, 240, 0, 0, 0, 0, 0, 0, 7, 0, 9)),
    },
    {
      says: "an AMF array of four thousand million values",
      code: "LIMIT_AMF_VALUES",
      bytes: message(
        20,
        Uint8Array.of(2, 0, 7, ...Buffer.from("connect"), 0, 63, 240, 0, 0, 0, 0, 0, 0, 10, 255, 255, 255, 255),
      ),
    },
    { says: "AMF objects nested five thousand deep", code: "LIMIT_AMF_DEPTH", bytes: message(20, nested(5_000)) },
    { says: "a command of 200,000 bytes", code: "LIMIT_RTMP", bytes: message(20, new Uint8Array(200_000)) },
  ] as const;
  for (const { says, code, bytes } of MESSAGES) {
    test(`${says} ends the session with ${code}`, async () => {
      await assertEnds(code, async (peer) => {
        await peer.shake();
        peer.write(bytes);
      });
    });
  }

  test("a second connect ends the session with WIRE_RTMP_DIALOGUE", async () => {
    await assertEnds("WIRE_RTMP_DIALOGUE", async (peer) => {
      await connected(peer);
      peer.write(command("connect", 2, { app: "live" }));
    });
  });

  test("message streams beyond the limit are refused, and the session goes on", async () => {
    await using peer = await openRaw(server.port());
    await connected(peer);
    for (let id = 2; id < 60; id++) peer.write(command("createStream", id, null));
    await until("a refusal", () => (peer.text.includes("_error") ? true : undefined));
    assert.equal(peer.isClosed, false);
  });

  test("messages of no bytes, of unknown types and for nobody are passed over", async () => {
    await using peer = await openRaw(server.port());
    await connected(peer);
    for (const typeId of [8, 9, 18, 22, 100, 255]) peer.write(message(typeId, new Uint8Array(0), 5));
    peer.write(command("_checkbw", 9, null));
    const from = peer.received.length;
    await until("an answer", () => (peer.received.subarray(from).includes("_result") ? true : undefined));
    assert.equal(peer.isClosed, false);
  });

  test("random bytes behind the handshake end forty sessions and nothing else", async () => {
    const noise = seeded(7);
    const peers = await Promise.all(Array.from({ length: 40 }, () => openRaw(server.port())));
    await Promise.all(peers.map((peer) => peer.shake()));
    for (const peer of peers) peer.write(Uint8Array.from({ length: 3_000 }, noise));
    await Promise.all(peers.map((peer) => peer.untilClosed()));
    assert.equal(server.child.output("stderr").includes("Session failed"), false, "no fault of ours");
  });
});

/** A connect whose command object holds an object, which holds an object, … */
function nested(depth: number): Uint8Array {
  const head = Uint8Array.of(2, 0, 7, ...Buffer.from("connect"), 0, 63, 240, 0, 0, 0, 0, 0, 0);
  const level = [3, 0, 1, 97];
  return Uint8Array.from([...head, ...Array.from({ length: depth }, () => level).flat()]);
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
}

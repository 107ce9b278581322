/** Control messages: their bodies, and what an engine does about them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import {
  decodeSetChunkSize,
  decodeSetPeerBandwidth,
  encodeSetPeerBandwidth,
  encodeU32Body,
} from "@sluice/rtmp/control-message";
import { decodeUserControl, encodeUserControl, type UserControl } from "@sluice/rtmp/user-control";
import { fuzz } from "@sluice/testkit/fuzz";
import { golden, goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { SET_CHUNK_SIZE, SET_PEER_BANDWIDTH, USER_CONTROL } from "./control-golden.ts";
import { acceptAll, createServer, takeAll } from "./ports.ts";
import { CONNECT, command, describe, message, openServer, plainHandshake, readSteadyMessages } from "./raw-peer.ts";

const allowed = [WireError, LimitError];
golden("set chunk size", SET_CHUNK_SIZE, { decode: decodeSetChunkSize, encode: encodeU32Body });
golden("set peer bandwidth", SET_PEER_BANDWIDTH, { decode: decodeSetPeerBandwidth, encode: encodeSetPeerBandwidth });
golden<UserControl>("user control", USER_CONTROL as never, {
  decode: (bytes) => decodeUserControl(bytes) as UserControl,
  encode: encodeUserControl,
});
fuzz("[RLM3] set chunk size", decodeSetChunkSize, { seeds: goldenSeeds(SET_CHUNK_SIZE), allowed, seconds: 0.1 });
fuzz("[RLM3] bandwidth", decodeSetPeerBandwidth, { seeds: goldenSeeds(SET_PEER_BANDWIDTH), allowed, seconds: 0.1 });
fuzz("[RLM3] user control", decodeUserControl, { seeds: goldenSeeds(USER_CONTROL), allowed, seconds: 0.1 });

const control = (typeId: number, body: string): Uint8Array => message(typeId, hex(body), { csid: 2 });

test("[CHK4] sizes beyond any message count as the largest", () => {
  assert.equal(decodeSetChunkSize(hex("7fffffff")), 0xffffff);
});

for (const body of ["00000000", "80000000", "ffffffff", "0001"]) {
  test(`[CHK4] a chunk size of ${body} ends the session`, () => {
    assert.throws(() => openServer().say(control(1, body)), WireError);
  });
}

test("[CTL1] [CTL2] an acknowledgement at the latest when the announced window is full", () => {
  const { server, say } = openServer();
  say(command(1, "publish", 2, null, "cam"), control(5, "000003e8"));
  const before = server.bytesReceived;
  const filler = message(99, new Uint8Array(100), { csid: 9 });
  const acknowledged: number[] = [];
  for (let i = 0; i < 20; i++) {
    for (const byteCount of say(filler).acknowledged) {
      assert.equal(byteCount, server.bytesReceived);
      acknowledged.push(byteCount);
    }
    assert.ok(server.bytesReceived - Math.max(before, ...acknowledged) < 1000);
  }
  assert.ok(acknowledged.length >= 2);
});

test("[CTL2] without an announced window, 2,500,000 bytes are assumed", () => {
  const { say } = openServer();
  say(command(1, "publish", 2, null, "cam"));
  const filler = message(99, new Uint8Array(100_000), { csid: 9 });
  let sent = 0;
  for (let i = 0; i < 25; i++) sent += say(filler).acknowledged.length;
  assert.ok(sent === 1 || sent === 2, `${sent} acknowledgements`);
});

const BANDWIDTH_CASES = [
  { says: "hard changes the window", said: ["000f424000"], answer: ["000f4240"] },
  { says: "the same window is not repeated", said: ["0026 25a000"], answer: [] },
  { says: "soft and smaller", said: ["0000100001"], answer: ["00001000"] },
  { says: "soft and larger", said: ["7fffffff01"], answer: [] },
  { says: "dynamic alone", said: ["0000100002"], answer: [] },
  { says: "dynamic after hard", said: ["0000200000", "0000100002"], answer: ["00002000", "00001000"] },
  { says: "zero", said: ["0000000000"], answer: [] },
] as const;

for (const { says, said, answer } of BANDWIDTH_CASES) {
  test(`[CTL3] set peer bandwidth: ${says}`, () => {
    const { say } = openServer();
    const { sent } = say(...said.map((body) => control(6, body)));
    assert.deepEqual(
      sent,
      answer.map((body) => [0, "type 5", body]),
    );
  });
}

test("[CTL4] a ping is answered with its own time", () => {
  const { events, sent } = openServer().say(control(4, "0006 fedcba98"));
  assert.deepEqual(sent, [[0, "type 4", "0007fedcba98"]]);
  assert.deepEqual(events, []);
});

test("[CTL4] our ping comes back as an event", () => {
  assert.deepEqual(openServer().say(control(4, "0007 00000005")).events, [{ type: "ping-response", timestamp: 5 }]);
});

test("[CTL5] buffer length is told, unknown types are ignored", () => {
  const { events, sent } = openServer().say(
    control(4, "0003 00000001 00000bb8"),
    control(4, "0077 01"),
    control(4, "0000 00000001"),
  );
  assert.deepEqual(events, [{ type: "buffer-length", messageStreamId: 1, milliseconds: 3000 }]);
  assert.deepEqual(sent, []);
});

test("[CTL6] acknowledgements count on beyond 2³², and one that goes back changes nothing", () => {
  const { server, say } = openServer();
  const bytes = ["7fffffff", "fffffff0", "00000010", "00000008", "40000000"].map((body) => {
    const [event] = say(control(3, body)).events;
    return event?.type === "acknowledgement" ? event.bytes : undefined;
  });
  assert.deepEqual(bytes, [0x7fffffff, 0xfffffff0, 2 ** 32 + 0x10, 2 ** 32 + 0x10, 2 ** 32 + 0x40000000]);
  assert.equal(server.acknowledgedBytes, 2 ** 32 + 0x40000000);
});

test("[CTL8] each step of the opening that owes nothing is acknowledged, until media may flow", () => {
  const server = createServer();
  const take = (): string[] => {
    for (const event of takeAll(server)) acceptAll(event, server);
    const out = server.nextOutput();
    assert.equal(server.nextOutput(), undefined);
    return out === undefined ? [] : readSteadyMessages(out).map((one) => describe(one)[1] as string);
  };
  const handshake = plainHandshake();
  server.receive(handshake.subarray(0, 2000));
  assert.equal(server.nextOutput()?.length, 1 + 2 * 1536);
  server.receive(handshake.subarray(2000));
  assert.deepEqual(take(), ["type 3"]);
  server.receive(CONNECT.subarray(0, 12));
  assert.deepEqual(take(), ["type 3"]);
  server.receive(CONNECT.subarray(12));
  assert.deepEqual(take(), ["type 5", "type 6", "type 1", "_result"]);
  server.receive(control(5, "002625a0"));
  assert.deepEqual(take(), ["type 3"]);
  server.receive(command(1, "play", 0, null, "cam"));
  assert.deepEqual(take().at(-1), "onStatus");
  server.receive(control(4, "0003 00000001 00000bb8"));
  assert.deepEqual(take(), []);
});

test("[CTL8] a connection that never carries media is not acknowledged for ever", () => {
  const { say } = openServer();
  let sent = 0;
  for (let i = 0; i < 100; i++) sent += say(message(99, new Uint8Array(1))).acknowledged.length;
  assert.ok(sent > 10 && sent < 40, `${sent}`);
});

/** Both handshakes, both sides, and those who knock at the wrong door. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { createDigestBlock, findDigest } from "@sluice/rtmp/handshake/digest";
import { everySplitGives } from "@sluice/testkit/byte-splitter";
import { fuzz } from "@sluice/testkit/fuzz";
import { Conversation, createClient, createServer, join, NODE_CRYPTO, takeAll } from "./ports.ts";
import { CONNECT, plainHandshake } from "./raw-peer.ts";

const BLOCK = 1536;
const seeded = { ...NODE_CRYPTO, randomBytes: (count: number) => new Uint8Array(count).fill(5) };

test("[HSK1] S0, S1 and S2 in one piece once C1 is whole; S2 repeats C1", () => {
  const server = createServer();
  const c1 = new Uint8Array(NODE_CRYPTO.randomBytes(BLOCK));
  c1.fill(0, 4, 8);
  server.receive(join(new Uint8Array([3]), c1.subarray(0, 1535)));
  assert.equal(server.nextOutput(), undefined);
  server.receive(c1.subarray(1535));
  const reply = server.nextOutput() as Uint8Array;
  assert.equal(reply.length, 1 + 2 * BLOCK);
  assert.equal(reply[0], 3);
  assert.deepEqual(reply.subarray(1 + BLOCK), c1);
  assert.equal(server.nextOutput(), undefined);
});

test("[HSK2] [HSK7] [CHK13] C2 of any content, with connect behind it, however split", () => {
  const result = everySplitGives(
    join(plainHandshake(), CONNECT),
    (pieces) => {
      const server = createServer({ crypto: seeded });
      const phases = new Set<string>([server.phase]);
      for (const piece of pieces) {
        server.receive(piece);
        phases.add(server.phase);
      }
      assert.ok([...phases].every((phase) => ["handshake", "awaiting-connect", "connect-pending"].includes(phase)));
      return { events: takeAll(server).map((event) => event.type), phase: server.phase };
    },
    { runs: 20 },
  );
  assert.deepEqual(result, { events: ["handshake-done", "connect"], phase: "connect-pending" });
});

for (const layout of ["digest-first", "key-first"] as const) {
  test(`[HSK3] C1 signed in layout ${layout}`, () => {
    const server = createServer();
    const c1 = createDigestBlock("client", layout, NODE_CRYPTO);
    server.receive(join(new Uint8Array([3]), c1, new Uint8Array(BLOCK)));
    const reply = server.nextOutput() as Uint8Array;
    const s1 = findDigest(reply.subarray(1, 1 + BLOCK), "server", NODE_CRYPTO);
    assert.equal(s1?.layout, layout);
    const s2 = reply.subarray(1 + BLOCK);
    const text = "Genuine Adobe Flash Media Server 001";
    const common = "f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae";
    const secret = Buffer.concat([Buffer.from(text), Buffer.from(common, "hex")]);
    const found = findDigest(c1, "client", NODE_CRYPTO);
    const key = createHmac("sha256", secret)
      .update(found?.digest as Uint8Array)
      .digest();
    const expected = createHmac("sha256", key).update(s2.subarray(0, 1504)).digest();
    assert.deepEqual(Buffer.from(s2.subarray(1504)), expected);
    assert.deepEqual(takeAll(server), [{ type: "handshake-done", form: "digest" }]);
  });
}

test("[HSK4] a spoilt digest, or a zero version field, is answered plainly", () => {
  const spoilt = createDigestBlock("client", "digest-first", NODE_CRYPTO);
  spoilt[1500] = (spoilt[1500] as number) ^ 1;
  const unversioned = createDigestBlock("client", "key-first", NODE_CRYPTO);
  unversioned.fill(0, 4, 8);
  for (const c1 of [spoilt, unversioned]) {
    const server = createServer();
    server.receive(join(new Uint8Array([3]), c1, new Uint8Array(BLOCK)));
    assert.deepEqual((server.nextOutput() as Uint8Array).subarray(1 + BLOCK), c1);
    assert.deepEqual(takeAll(server), [{ type: "handshake-done", form: "plain" }]);
  }
});

const WRONG_DOORS = [
  { rule: "HSK5", says: "RTMPE", bytes: [6, 1, 2], code: "WIRE_RTMP_RTMPE" },
  { rule: "HSK5", says: "RTMPE, later form", bytes: [8], code: "WIRE_RTMP_RTMPE" },
  { rule: "HSK5", says: "a version of the future", bytes: [31], code: "WIRE_RTMP_VERSION" },
  {
    rule: "HSK5",
    says: "a letter that opens no verb",
    bytes: [..."GARBAGE"].map((c) => c.charCodeAt(0)),
    code: "WIRE_RTMP_VERSION",
  },
  {
    rule: "HSK6",
    says: "GET",
    bytes: [..."GET / HTTP/1.1"].map((c) => c.charCodeAt(0)),
    code: "WIRE_RTMP_HTTP_ON_PORT",
  },
  {
    rule: "HSK6",
    says: "POST",
    bytes: [..."POST /open/1"].map((c) => c.charCodeAt(0)),
    code: "WIRE_RTMP_HTTP_ON_PORT",
  },
  {
    rule: "HSK6",
    says: "HTTP/2",
    bytes: [..."PRI * HTTP/2.0"].map((c) => c.charCodeAt(0)),
    code: "WIRE_RTMP_HTTP_ON_PORT",
  },
  { rule: "HSK6", says: "ClientHello", bytes: [0x16, 3, 1, 2, 0, 1], code: "WIRE_RTMP_TLS_ON_PORT" },
] as const;

for (const { rule, says, bytes, code } of WRONG_DOORS) {
  test(`[${rule}] wrong door: ${says}`, () => {
    const outcome = everySplitGives(new Uint8Array(bytes), (pieces) => {
      const server = createServer();
      try {
        for (const piece of pieces) server.receive(piece);
      } catch (error) {
        assert.ok(error instanceof WireError);
        assert.equal(server.nextOutput(), undefined);
        return error.code;
      }
      return "no error";
    });
    assert.equal(outcome, code);
  });
}

for (const form of ["plain", "digest"] as const) {
  test(`[HSK8] a ${form} client and the server agree`, () => {
    const conversation = new Conversation({ client: { handshake: form } });
    conversation.client.start({ app: "live", tcUrl: "rtmp://h/live" });
    conversation.run();
    assert.deepEqual(conversation.told("handshake-done"), [{ type: "handshake-done", form }]);
    assert.deepEqual(conversation.clientEvents[0], { type: "handshake-done", form });
    assert.equal(conversation.client.phase, "connected");
  });
}

test("[HSK8] C2, chunk size and connect in one piece when S1 is whole; a plain S1 makes a digest client plain", () => {
  const client = createClient({ handshake: "digest" });
  client.start({ app: "live", tcUrl: "rtmp://h/live" });
  const opening = client.nextOutput() as Uint8Array;
  assert.equal(findDigest(opening.subarray(1), "client", NODE_CRYPTO)?.layout, "digest-first");
  const s1 = new Uint8Array(BLOCK).fill(9);
  client.receive(join(new Uint8Array([3]), s1));
  const out = client.nextOutput() as Uint8Array;
  assert.deepEqual(out.subarray(0, BLOCK), s1);
  assert.ok(Buffer.from(out).includes("connect"));
  client.receive(new Uint8Array(BLOCK));
  assert.deepEqual(takeAll(client), [{ type: "handshake-done", form: "plain" }]);
});

fuzz("[RLM3] handshake", (bytes) => createServer().receive(bytes), {
  seeds: [plainHandshake(), ...WRONG_DOORS.map(({ bytes }) => new Uint8Array(bytes))],
  allowed: [WireError, LimitError],
  seconds: 0.3,
});

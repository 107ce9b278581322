/** Members among themselves on real sockets: what they say, whom they refuse, and links that break. */
import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { type Meter, SILENT_METER } from "@sluice/base/meter";
import { WireError } from "@sluice/bytes/wire-error";
import {
  type CallOutcome,
  decodeCall,
  decodePublish,
  decodeReply,
  encodeCall,
  encodePublish,
  encodeReply,
} from "@sluice/gcache/members/member-calls";
import { DEFAULT_MEMBER_LIMITS, type MemberLimits } from "@sluice/gcache/node/limits";
import { factsOf, type MemberIdentity, memberOf, OwnMember } from "@sluice/gcache/members/member-identity";
import { MemberTransport } from "@sluice/gcache/members/member-transport";
import { OwnLinks, type OwnLinksOptions } from "@sluice/gcache/members/own-links";
import { MEMBER_PROTOCOL_VERSION } from "@sluice/cache/replica/member-message";
import type { Incarnation } from "@sluice/mesh/hello";
import { Link } from "@sluice/mesh/link";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { PeerPins } from "@sluice/gcache/members/peer-pins";
import { openMemoryStore } from "@sluice/gcache/store/memory-store";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import fc from "fast-check";
import { overhear } from "./resp-fixture.ts";
import { TEST_CERT, TEST_KEY, TLS_HELLO_START } from "../../runtime/test/tls-fixture.ts";

const own = (id: string, cluster = 1): MemberIdentity => ({
  id,
  clusterId: new Uint8Array(32).fill(cluster),
  storeId: Buffer.from(id.padEnd(16, ".")),
  address: `127.0.0.1:7${id.length}`,
  clients: "",
  version: MEMBER_PROTOCOL_VERSION,
  listIndex: 0,
});

test("what a member says of itself in a hello is read again, and nothing that is no member's", () => {
  const facts = factsOf(own("n1"));
  const identity = { id: "n1", incarnation: 1 as Incarnation, purpose: "cache", facts };
  assert.deepEqual(memberOf(identity)?.storeId, Buffer.from(own("n1").storeId));
  assert.deepEqual(memberOf(identity)?.address, own("n1").address);
  for (const [name, value] of [
    ["cluster", "00"],
    ["store", "zz"],
    ["store", ""],
  ] as const) {
    assert.equal(memberOf({ ...identity, facts: new Map(facts).set(name, value) }), undefined);
  }
});

test("calls, replies and published messages: decode after encode gives the same, any bytes a WireError at most", () => {
  const outcomes: readonly CallOutcome[] = [
    { type: "answer", answer: { type: "count", count: 7 } },
    { type: "barrier", index: 2 ** 40 },
    { type: "failed", failure: "unknown-outcome" },
    { type: "ordered" },
    { type: "refused", reason: "no such member" },
  ];
  for (const outcome of outcomes) assert.deepEqual(decodeReply(encodeReply(9, outcome)), { id: 9, outcome });
  const call = decodeCall(encodeCall({ id: 5, ask: { type: "write", operation: Buffer.from("op") } }));
  assert.equal(call.id, 5);
  assert.deepEqual(call.ask.type === "write" && Buffer.from(call.ask.operation), Buffer.from("op"));
  assert.deepEqual(decodeCall(encodeCall({ id: 6, ask: { type: "barrier" } })), { id: 6, ask: { type: "barrier" } });
  for (const type of ["remove", "replace"] as const) {
    const order = { id: 7, ask: { type: "order", order: { type, id: "n2" } } } as const;
    assert.deepEqual(decodeCall(encodeCall(order)), order);
  }
  const published = decodePublish(encodePublish(Buffer.from("über"), Buffer.from("m")));
  assert.equal(Buffer.from(published.subject).toString(), "über");
  for (const decode of [decodeCall, decodeReply, decodePublish]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }),
    );
  }
});

interface Line {
  readonly message: string;
  readonly reason?: unknown;
}

function memoryLog(lines: Line[]): Log {
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    void lines.push({ message, reason: fields["reason"] });
  const log: Log = { debug() {}, info: note, warn: note, error: note, child: () => log };
  return log;
}

interface Member extends AsyncDisposable {
  readonly peers: PeerPins;
  readonly transport: MemberTransport;
  readonly address: string;
  readonly lines: readonly Line[];
  readonly received: string[];
}

async function member(
  id: string,
  more: {
    readonly secret?: string;
    readonly limits?: Partial<MemberLimits>;
    readonly tls?: OwnLinksOptions["tls"];
    readonly clock?: Clock;
    readonly meter?: Meter;
  } = {},
): Promise<Member> {
  const lines: Line[] = [];
  const received: string[] = [];
  const store = openMemoryStore({ member: id, clusterId: own(id).clusterId });
  const self = new OwnMember(store);
  self.address = own(id).address;
  const clock = more.clock ?? new SystemClock();
  const secret = Buffer.from(more.secret ?? "s");
  const peers = new PeerPins(self, store, secret);
  const ports = { secret, clock, log: memoryLog(lines), meter: more.meter ?? SILENT_METER };
  const links = new OwnLinks({
    ...ports,
    id,
    address: { host: "127.0.0.1", port: 0 },
    incarnation: Math.floor(Math.random() * 2 ** 32) as Incarnation,
    tls: more.tls,
    judge: (peer) => peers.judge(memberOf(peer) as MemberIdentity),
    crypto: NODE_CRYPTO,
    random: Math.random,
    limits: { ...DEFAULT_MEMBER_LIMITS, ...more.limits },
  });
  const transport = new MemberTransport({ ...ports, links, own: self, peers });
  transport.start({
    received: (from, service, message) =>
      void received.push(`${from} ${service} ${message.length < 100 ? Buffer.from(message) : message.length}`),
    introduced: () => {},
    refusalsChanged: () => {},
    placeWanted: () => {},
    cut: () => {},
  });
  const address = (await transport.open()) as string;
  return { peers, transport, address, lines, received, [Symbol.asyncDispose]: () => transport.close() };
}

test("members send to each other over TCP, and dial again when the connection breaks", async () => {
  await using a = await member("n1");
  const b = await member("n2");
  a.transport.reach(new Map([["n2", b.address]]));
  await until("connected", () => a.transport.isConnected("n2"));
  a.transport.send("n2", "call", Buffer.from("hello"));
  b.transport.send("n1", "reply", Buffer.from("hello back"));
  await until("received", () => b.received.length === 1);
  assert.deepEqual(b.received, ["n1 call hello"]);
  await until("received over the same link", () => a.received.length === 1);
  assert.deepEqual(a.received, ["n2 reply hello back"]);
  await b.transport.close();
  await until("lost", () => !a.transport.isConnected("n2"));
  assert.equal(a.transport.send("n2", "call", Buffer.from("nowhere")), false);
});

test("[RSP178] a member that was not heard when it should have been counts as away until something comes from it", async () => {
  const limits = { silence: 400 as Millis };
  await using a = await member("n1", { limits });
  await using b = await member("n2", { limits });
  assert.equal(b.transport.isCalling("n1"), false);
  a.transport.reach(new Map([["n2", b.address]]));
  await until("connected", () => a.transport.isConnected("n2") && b.transport.isCalling("n1"));
  a.transport.doubt("n2");
  a.transport.doubt("nobody");
  assert.equal(a.transport.isConnected("n2"), false);
  await until("heard again", () => a.transport.isConnected("n2"));
  await a.transport.close();
  await until("gone", () => !b.transport.isCalling("n1"));
});

test("a wrong secret ends the connection, is told on both sides, and harms nothing else", async () => {
  await using a = await member("n1");
  await using wrong = await member("n3", { secret: "other" });
  await using b = await member("n2");
  wrong.transport.reach(new Map([["n2", b.address]]));
  a.transport.reach(new Map([["n2", b.address]]));
  const told = (lines: readonly Line[]): boolean =>
    lines.some((line) => String(line.reason).includes("the secrets differ"));
  await until("both said so", () => told(wrong.lines) && told(b.lines));
  await until("the right one is connected", () => a.transport.isConnected("n2"));
  assert.equal(wrong.transport.isConnected("n2"), false);
});

test("[REP355] a member of the list that is turned away again and again is told of once, by its id and with the reason", async () => {
  const { meter, counted } = overhear();
  await using a = await member("n1", { meter });
  a.peers.setMembers(new Set(["n1", "n2"]));
  const former = await member("n2");
  a.transport.reach(new Map([["n2", former.address]]));
  await until("connected", () => a.transport.isConnected("n2"));
  await former[Symbol.asyncDispose]();
  await using lost = await member("n2");
  for (const [one, other, id] of [
    [a, lost, "n2"],
    [lost, a, "n1"],
  ] as const)
    one.transport.reach(new Map([[id, other.address]]));
  await until("six attempts", () => (counted.get("cache_member_refusals WIRE_LINK_REFUSED") ?? 0) >= 6);
  for (const { lines } of [a, lost]) {
    const told = lines.filter(({ reason }) => /its store is not the one known/.test(String(reason)));
    assert.deepEqual(
      told.map(({ message }) => message),
      ["No connection to member"],
    );
    assert.match(String(told[0]?.reason), /remove the member, then add it again/);
  }
});

test("garbage, silence and frames that are too long end their own connection only", async () => {
  await using b = await member("n2", { limits: { handshake: 300 as Millis } });
  const [host = "", port = ""] = b.address.split(":");
  const ended = async (bytes: Uint8Array): Promise<void> => {
    const socket = connect({ host, port: Number(port) });
    socket.on("error", () => {});
    socket.resume();
    if (bytes.length > 0) socket.write(bytes);
    await new Promise((resolve) => socket.once("close", resolve));
  };
  await Promise.all([
    ended(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
    ended(Buffer.from([0, 0, 0, 4, 1, 2, 3, 4])),
    ended(Buffer.from([0xff, 0xff, 0xff, 0xff])),
    ended(Buffer.alloc(0)),
  ]);
  assert.ok(b.lines.some((line) => String(line.reason).includes("frame of")));
  await using a = await member("n1");
  a.transport.reach(new Map([["n2", b.address]]));
  await until("a member still gets in", () => a.transport.isConnected("n2"));
});

const TLS = { cert: TEST_CERT, key: TEST_KEY };

for (const [what, tls, bytes, reason, counter] of [
  ["HTTP", undefined, "POST / HTTP/1.1\r\nHost: x\r\n\r\n", /speaks HTTP/, "cache_member_refusals WIRE_LINK_FRAME"],
  ["HTTP in lower case", undefined, "get / http/1.1\r\n\r\n", /speaks HTTP/, "cache_member_refusals WIRE_LINK_FRAME"],
  ["TLS", undefined, "\x16\x03\x01\x02\x00\x01", /speaks TLS/, "cache_member_refusals WIRE_LINK_FRAME"],
  ["HTTP, with TLS", TLS, "POST / HTTP/1.1\r\nHost: x\r\n\r\n", /http request/i, "tls_failures_total members"],
] as const) {
  test(`[REP101] ${what} where members are expected is ended, logged and counted, in any split`, async () => {
    const { meter, counted } = overhear();
    await using b = await member("n2", { tls, meter });
    const [host = "", port = ""] = b.address.split(":");
    for (const size of [bytes.length, 1]) {
      const socket = connect({ host, port: Number(port), noDelay: true });
      socket.on("error", () => {});
      socket.resume();
      for (let at = 0; at < bytes.length; at += size) socket.write(Buffer.from(bytes.slice(at, at + size), "latin1"));
      await new Promise((resolve) => socket.once("close", resolve));
    }
    await until(`two of ${counter}`, () => counted.get(counter) === 2);
    assert.equal(b.lines.filter((line) => reason.test(String(line.reason))).length, 2);
    assert.deepEqual(b.received, []);
  });
}

/** Sockets that say nothing. */
async function silentSockets(t: TestContext, address: string, count: number): Promise<readonly Socket[]> {
  const [host = "", port = ""] = address.split(":");
  const sockets = Array.from({ length: count }, () => connect({ host, port: Number(port) }).on("error", () => {}));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.resume().once("connect", resolve))));
  return sockets;
}

for (const [name, tls] of [
  ["plain", undefined],
  ["TLS", TLS],
] as const) {
  test(`[REP140] ${name}: silent connections keep no member out, and the end of a listener waits for none`, async (t) => {
    await using b = await member("n2", { tls, clock: new FakeClock() });
    const sockets = await silentSockets(t, b.address, 2 * DEFAULT_MEMBER_LIMITS.strangersPerAddress);
    await using a = await member("n1", { tls });
    a.transport.reach(new Map([["n2", b.address]]));
    await until("connected", () => a.transport.isConnected("n2"));
    const open = (): number => sockets.filter((socket) => !socket.closed).length;
    await until("the others to be ended", () => open() <= DEFAULT_MEMBER_LIMITS.strangersPerAddress);
  });

  test(`[REP141] ${name}: who has not proved itself in time is ended, however slowly it speaks`, async (t) => {
    await using b = await member("n2", { tls, limits: { handshake: 250 as Millis } });
    const sockets = await silentSockets(t, b.address, 10);
    const [slow] = sockets;
    let said = 0;
    const drip = setInterval(() => {
      if (slow?.writable) slow.write(tls === undefined ? Buffer.of(0) : TLS_HELLO_START.subarray(said, ++said));
    }, 20);
    t.after(() => clearInterval(drip));
    await until("all to be ended", () => sockets.every((socket) => socket.closed));
    await using a = await member("n1", { tls });
    a.transport.reach(new Map([["n2", b.address]]));
    await until("a member still gets in", () => a.transport.isConnected("n2"));
  });
}

test("[REP150] without a secret nobody beyond this machine is dialled or let in, whatever it says of itself", async () => {
  await using a = await member("n1", { secret: "" });
  a.transport.reach(new Map([["n2", "192.0.2.1:7402"]]));
  await using b = await member("n4", { secret: "" });
  a.transport.reach(new Map([["n4", b.address]]));
  await until("the one of this machine is dialled", () => a.transport.isConnected("n4"));
  const dialled = a.lines.map(({ message }) => message).filter((message) => message.includes("member"));
  assert.deepEqual(dialled, ["Connected to member"], "no attempt was made at the others");
  const store = openMemoryStore({ member: "n1", clusterId: new Uint8Array(32) });
  const far = { ...own("n2"), clusterId: new Uint8Array(32), address: "192.0.2.1:7402" };
  const judge = (secret: Uint8Array | undefined, peer: MemberIdentity) =>
    new PeerPins(new OwnMember(store), store, secret).judge(peer);
  assert.equal(judge(undefined, far), "needs-secret");
  assert.equal(judge(Buffer.from("s"), far), undefined);
  assert.equal(judge(undefined, { ...far, address: "127.0.0.1:7402" }), undefined);
});

test("a member that does not read is owed a bounded number of bytes, and loses its link", async (t) => {
  await using a = await member("n1", { limits: { silence: 600 as Millis } });
  const sockets = new Set<Socket>();
  const deaf: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const link = linkOf("n2");
    socket.on("data", (bytes) => {
      link.receive(bytes, 0 as Millis);
      for (let owed = link.nextOutput(0 as Millis); owed !== undefined; owed = link.nextOutput(0 as Millis)) {
        socket.write(owed);
      }
      if (link.peer !== undefined) socket.pause().removeAllListeners("data");
    });
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    deaf.close();
  });
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const { port } = deaf.address() as { port: number };
  a.transport.reach(new Map([["n2", `127.0.0.1:${port}`]]));
  await until("connected", () => a.transport.isConnected("n2"));
  let sent = 0;
  while (a.transport.send("n2", "log", new Uint8Array(1024 * 1024))) assert.ok(++sent < 100, "the queue is bounded");
  assert.equal(a.transport.droppedCount, 1);
  await until("its link to be ended", () => a.lines.some((line) => String(line.reason).includes("nothing heard")));
  assert.equal(a.transport.isConnected("n2"), false);
});

/** The accepting side of a link, without a clock of its own: it says nothing unless it is spoken to. */
function linkOf(id: string): Link {
  return new Link({
    side: { type: "accept" },
    handshake: {
      own: { id, incarnation: 9 as Incarnation, purpose: "cache", facts: factsOf(own(id)) },
      secrets: [Buffer.from("s")],
      binding: new Uint8Array(0),
      crypto: NODE_CRYPTO,
      judge: () => undefined,
    },
    limits: DEFAULT_LINK_LIMITS,
    timings: DEFAULT_LINK_TIMINGS,
    now: 0 as Millis,
    outputReady: () => {},
  });
}

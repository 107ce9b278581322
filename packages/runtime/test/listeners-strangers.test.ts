/** Connections that show nothing of themselves: their time and their number, on every port that speaks TLS or HTTP. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import { SILENT_METER } from "@sluice/base/meter";
import { type StrangerLimits, Strangers } from "@sluice/runtime/sockets/strangers";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import { openServer, type RunningServer } from "../../server/test/sessions-fixture.ts";
import { TEST_CERT, TEST_KEY, TLS_HELLO_START } from "./tls-fixture.ts";

const TIME = 1_000 as Millis;

class FakeSocket extends EventEmitter {
  static #lastPort = 0;
  readonly remoteAddress: string | undefined;
  readonly remotePort = ++FakeSocket.#lastPort;
  readonly localAddress = "10.0.0.1";
  readonly localPort = 443;
  destroyed = false;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function hall(limits: Partial<StrangerLimits>) {
  const clock = new FakeClock();
  const all = { strangers: 0, strangersPerAddress: 0, handshake: TIME, exempt: [], ...limits };
  const strangers = new Strangers({ limits: all, clock, meter: SILENT_METER });
  const enter = (address: string | undefined, deadline: "here" | "elsewhere" = "here"): FakeSocket => {
    const socket = new FakeSocket(address);
    strangers.admit(socket as unknown as Socket, { listener: "https", deadline });
    return socket;
  };
  return { clock, strangers, enter };
}

const gone = (sockets: readonly FakeSocket[]): boolean[] => sockets.map((socket) => socket.destroyed);

test("[LST140] a connection that has not shown itself in time is ended, and leaves no timer", () => {
  const { clock, strangers, enter } = hall({});
  const [silent, known, answered] = [enter("1.1.1.1"), enter("1.1.1.1"), enter("1.1.1.1")];
  const head = enter("1.1.1.1", "elsewhere");
  clock.advance(TIME - 1);
  strangers.known(known as unknown as Socket);
  strangers.timeElsewhere(answered as unknown as Socket);
  assert.deepEqual(gone([silent, known, answered, head]), [false, false, false, false]);
  clock.advance(1);
  assert.deepEqual(gone([silent, known, answered, head]), [true, false, false, false]);
  assert.equal(strangers.count, 2, "who is timed elsewhere keeps a place");
  for (const socket of [answered, head]) socket.destroy();
  assert.deepEqual([strangers.count, clock.pendingCount], [0, 0]);
});

test("[LST141] one more than the limit ends the oldest of the address that has most, and the newcomer has its place", () => {
  const { strangers, enter } = hall({ strangers: 4 });
  const real = enter("2.2.2.2");
  const flood = Array.from({ length: 10 }, () => enter("1.1.1.1"));
  assert.equal(real.destroyed, false);
  assert.deepEqual(gone(flood), [...Array<boolean>(7).fill(true), false, false, false]);
  const late = enter("3.3.3.3");
  assert.deepEqual([late.destroyed, real.destroyed, strangers.count], [false, false, 4]);
  strangers[Symbol.dispose]();
  assert.ok(late.destroyed && real.destroyed);
});

test("[LST141] an address has its own limit, an IPv6 /64 being one; exempt networks have the common one alone", () => {
  const { enter } = hall({ strangers: 6, strangersPerAddress: 1, exempt: ["127.0.0.0/8"] });
  const six = [enter("2001:db8::1"), enter("2001:db8::2"), enter("2001:db8:0:1::1")];
  assert.deepEqual(gone(six), [true, false, false]);
  const four = [enter("1.1.1.1"), enter("::ffff:1.1.1.1")];
  assert.deepEqual(gone(four), [true, false]);
  const local = Array.from({ length: 4 }, () => enter("127.0.0.1"));
  assert.deepEqual(gone(local), [true, false, false, false]);
});

test("[LST141] whoever has gone before it was looked at takes no place", () => {
  const { strangers, enter } = hall({});
  assert.deepEqual([enter(undefined).destroyed, strangers.count], [true, 0]);
});

async function openTlsServer(t: TestContext, sets: readonly string[]): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-strangers-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(cert, TEST_CERT);
  writeFileSync(key, TEST_KEY, { mode: 0o600 });
  return openServer(["rtmps.port=0", "https.port=0", `tls.cert=${cert}`, `tls.key=${key}`, ...sets]);
}

interface Visitor {
  readonly socket: Socket;
  readonly open: Promise<void>;
  readonly closed: Promise<void>;
}

function visit(t: TestContext, port: number): Visitor {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.resume();
  t.after(() => socket.destroy());
  const open = new Promise<void>((resolve) => socket.once("connect", resolve));
  return { socket, open, closed: new Promise((resolve) => socket.once("close", () => resolve())) };
}

for (const listener of ["rtmps", "https"]) {
  test(`[LST140] ${listener}: who is silent before TLS, or says its hello byte by byte, is ended in time`, async (t) => {
    await using server = await openTlsServer(t, ["limits.handshakeTimeout=250ms"]);
    const visitors = Array.from({ length: 20 }, () => visit(t, server.portOf(listener)));
    const slow = visit(t, server.portOf(listener));
    await slow.open;
    let at = 0;
    const drip = setInterval(() => {
      if (!slow.socket.destroyed) slow.socket.write(TLS_HELLO_START.subarray(at, ++at));
    }, 20);
    t.after(() => clearInterval(drip));
    await Promise.all([...visitors, slow].map(({ closed }) => closed));
    const cut = `handshakes_cut_total{listener="${listener}",reason="overdue"}`;
    assert.equal(await server.metric(cut), visitors.length + 1);
  });
}

test("[LST142] a connection to the HTTP port that sends no request is answered with 408 and ended in time", async (t) => {
  await using server = await openServer(["limits.handshakeTimeout=250ms"]);
  const visitors = Array.from({ length: 20 }, () => visit(t, server.httpPort));
  const slow = visit(t, server.httpPort);
  await slow.open;
  slow.socket.write("GET /");
  const drip = setInterval(() => {
    if (slow.socket.writable) slow.socket.write("a");
  }, 20);
  t.after(() => clearInterval(drip));
  const heard = [visitors[0], slow].map((visitor) => {
    const parts: Buffer[] = [];
    visitor?.socket.on("data", (bytes: Buffer) => parts.push(bytes));
    return parts;
  });
  await Promise.all([...visitors, slow].map(({ closed }) => closed));
  for (const parts of heard) assert.match(Buffer.concat(parts).toString("latin1"), /^HTTP\/1\.1 408 /);
});

test("[LST142] so is one to the HTTPS port that is silent once TLS is done", async (t) => {
  await using server = await openTlsServer(t, ["limits.handshakeTimeout=250ms"]);
  const socket = connectTls({ port: server.portOf("https"), host: "127.0.0.1", rejectUnauthorized: false });
  t.after(() => socket.destroy());
  const parts: Buffer[] = [];
  socket.on("data", (bytes) => parts.push(bytes));
  await new Promise((resolve) => socket.once("close", resolve));
  assert.match(Buffer.concat(parts).toString("latin1"), /^HTTP\/1\.1 408 /);
});

const secureGet = (port: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path: "/healthz", rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode));
    }).once("error", reject);
  });

test("[LST141] silent connections to all ports together stay within their number, and keep nobody out", async (t) => {
  await using server = await openTlsServer(t, ["limits.handshakes=8", "limits.handshakeTimeout=10m"]);
  const ports = ["rtmps", "https", "http"].map((name) => server.portOf(name));
  const visitors = ports.flatMap((port) => Array.from({ length: 10 }, () => visit(t, port)));
  await Promise.all(visitors.map(({ open }) => open));
  const isClosed = new Set<Visitor>();
  for (const visitor of visitors) void visitor.closed.then(() => isClosed.add(visitor));
  await until("all but eight to be ended", () => isClosed.size >= 22);
  assert.equal(await secureGet(server.portOf("https")), 200);
  const rtmps = connectTls({ port: server.portOf("rtmps"), host: "127.0.0.1", rejectUnauthorized: false });
  rtmps.on("error", () => {});
  t.after(() => rtmps.destroy());
  await new Promise((resolve) => rtmps.once("secureConnect", resolve));
  rtmps.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  await new Promise((resolve) => rtmps.once("data", resolve));
  for (let i = 0; i < 20; i++) await visit(t, server.portOf("https")).open;
  assert.equal(rtmps.destroyed, false, "who has shaken hands is none of them");
});

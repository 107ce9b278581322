/** The proxy passes bytes unharmed, and does to them exactly the harm it is asked for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readBytes } from "@sluice/testkit/duplex-pair";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";

/** A target that keeps what it hears apart from what it says, behind a proxy, with one client through it. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const accepted: Socket[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    accepted.push(socket);
    server.emit("accepted");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(async () => {
    for (const socket of accepted) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const proxy = stack.use(await FaultProxy.start({ port: (server.address() as AddressInfo).port }));
  const open = async (): Promise<{ client: Socket; target: Socket }> => {
    const isAccepted = once(server, "accepted");
    const client = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    stack.defer(() => void client.destroy());
    client.on("error", () => {});
    await isAccepted;
    return { client, target: accepted.at(-1) as Socket };
  };
  return { proxy, open, ...(await open()), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function passes(from: Socket, to: Socket, text: string): Promise<void> {
  from.write(text);
  assert.equal(Buffer.from(await readBytes(to, text.length)).toString(), text);
}

/** How the connection ends for this socket. */
function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("end", () => resolve("fin"));
    socket.resume();
  });
}

test("passes bytes both ways unharmed, also many, and counts them", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "hello");
  await passes(it.target, it.client, "welcome");
  const bytes = Buffer.alloc(5_000_000, "0123456789abc");
  it.client.write(bytes);
  assert.ok(bytes.equals(await readAll(it.target, bytes.length)));
  assert.deepEqual(it.proxy.counters, {
    accepted: 1,
    broken: 0,
    toTarget: { passedBytes: 5_000_005, vanishedBytes: 0 },
    toClient: { passedBytes: 7, vanishedBytes: 0 },
  });
});

async function readAll(socket: Socket, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes >= count) break;
  }
  return Buffer.concat(pieces);
}

test("half-closing and resets pass like bytes", async () => {
  await using it = await setUp();
  it.client.end("bye");
  assert.equal(Buffer.from(await readBytes(it.target, 3)).toString(), "bye");
  assert.equal(await ending(it.target), "fin");
  await passes(it.target, it.client, "still here");
  const second = await it.open();
  await passes(second.client, second.target, "x");
  const end = ending(second.client);
  second.target.resetAndDestroy();
  assert.equal(await end, "ECONNRESET");
});

test("a target that refuses is a reset for the client", async () => {
  await using proxy = await FaultProxy.start({ port: await freePort() });
  const client = connect({ port: proxy.port, host: "127.0.0.1" });
  assert.equal(await ending(client), "ECONNRESET");
});

test("cut with close breaks both ends at once and refuses new connections until healed", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "x");
  const ends = Promise.all([ending(it.client), ending(it.target)]);
  it.proxy.cutWithClose();
  assert.deepEqual(await ends, ["ECONNRESET", "ECONNRESET"]);
  const refused = connect({ port: it.proxy.port, host: "127.0.0.1" });
  assert.equal(await ending(refused), "ECONNRESET");
  assert.equal(it.proxy.counters.broken, 2);
  it.proxy.heal();
  const next = await it.open();
  await passes(next.client, next.target, "again");
  const politely = Promise.all([ending(next.client), ending(next.target)]);
  it.proxy.cutWithClose("fin");
  assert.deepEqual(await politely, ["fin", "fin"]);
  assert.equal(it.proxy.connectionCount, 0);
});

test("a silent cut tells nobody, swallows bytes and ends, and resets at healing what lost something", async () => {
  await using it = await setUp();
  const quiet = await it.open();
  await passes(it.client, it.target, "x");
  await passes(quiet.client, quiet.target, "x");
  it.proxy.cutSilently();
  it.client.write("lost");
  it.client.end();
  await until("the lost bytes", () => it.proxy.counters.toTarget.vanishedBytes === 4);
  assert.deepEqual([it.target.readableLength, it.target.readableEnded, it.client.destroyed], [0, false, false]);
  const ends = ending(it.target);
  it.proxy.heal();
  assert.equal(await ends, "ECONNRESET");
  await passes(quiet.client, quiet.target, "y");
  assert.equal(it.proxy.counters.broken, 1);
});

test("a one-way cut lets the other direction live", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "x");
  it.proxy.cutSilently("to-target");
  it.client.write("lost");
  await passes(it.target, it.client, "heard");
  await until("the lost bytes", () => it.proxy.counters.toTarget.vanishedBytes === 4);
  assert.equal(it.target.readableLength, 0);
});

test("held bytes and ends all arrive after healing, in order, and the sender feels the pressure", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "x");
  it.proxy.hold("to-target");
  const bytes = Buffer.alloc(20_000_000, "0123456789abc");
  it.client.end(bytes);
  await sleep(50);
  assert.ok(it.client.writableLength > 0);
  assert.equal(it.target.readableLength, 0);
  it.proxy.heal();
  assert.ok(bytes.equals(await readAll(it.target, bytes.length)));
  assert.equal(it.proxy.counters.broken, 0);
});

test("delay is at least what was asked, in one direction only, and keeps order", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "x");
  it.proxy.delay(80, "to-client");
  const started = performance.now();
  it.target.write("a");
  await sleep(10);
  it.target.write("b");
  await passes(it.client, it.target, "fast");
  const fast = performance.now() - started;
  assert.equal(Buffer.from(await readBytes(it.client, 2)).toString(), "ab");
  const slow = performance.now() - started;
  assert.ok(slow >= 88 && fast < slow, `fast ${fast} slow ${slow}`);
});

test("throttle holds a direction to its rate", async () => {
  await using it = await setUp();
  await passes(it.client, it.target, "x");
  it.proxy.throttle(100_000, "to-target");
  const started = performance.now();
  it.client.write(Buffer.alloc(20_000, "z"));
  await readAll(it.target, 20_000);
  const took = performance.now() - started;
  assert.ok(took >= 170, `took ${took}`);
});

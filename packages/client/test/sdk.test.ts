/** The SDK of sluice.v1 against the golden exchanges, cuts, moves and refusals, on a clock moved by hand. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Encoding } from "@sluice/client/contract/sluice-v1";
import { Connection, type ConnectionState, type ConnectOptions } from "@sluice/client/sdk/connection";
import { SDK_LIMITS } from "@sluice/client/sdk/limits";
import type { SharedObject } from "@sluice/client/sdk/shared-object";
import { SluiceError } from "@sluice/client/sdk/sluice-error";
import { type GoldenExchange, readExchanges } from "@sluice/testkit/exchanges";
import { toHex } from "@sluice/testkit/hex";
import { FakePlatform } from "./fake-platform.ts";

interface Ball {
  x: number;
  y: number;
}

const GOLDEN = readExchanges(join(import.meta.dirname, "../../../docs/protocol/golden"));
const ENCODINGS: readonly Encoding[] = ["json", "msgpack"];
const WHO = { params: { user: "ann" }, agent: "golden/1" };

function golden(name: string): GoldenExchange {
  return GOLDEN.find((exchange) => exchange.name === name) ?? assert.fail(`no exchange ${name}`);
}

function start(options: ConnectOptions = {}): { platform: FakePlatform; connection: Connection } {
  const platform = new FakePlatform();
  return { platform, connection: new Connection(platform, "ws://here/room", options) };
}

/** Plays the server of an exchange: whatever the client sends must be the next line. */
class GoldenServer {
  readonly #steps: readonly GoldenExchange["steps"][number][];
  readonly #platform: FakePlatform;
  readonly #encoding: Encoding;
  #at = 0;
  #seen = 0;

  constructor(exchange: GoldenExchange, platform: FakePlatform, encoding: Encoding) {
    this.#steps = exchange.steps.filter(({ from }) => from !== "other");
    this.#platform = platform;
    this.#encoding = encoding;
  }

  /** Answers all that was sent. @returns how many frames of the client were compared by now */
  async play(): Promise<number> {
    const { socket } = this.#platform;
    for (let step = this.#steps[this.#at]; step !== undefined && step.from !== "other"; step = this.#steps[this.#at]) {
      const isText = this.#encoding === "json";
      if (step.from === "server") socket.receive(isText ? step.text : step.bytes);
      else {
        const frame = socket.sent[this.#seen];
        if (frame === undefined) break;
        this.#seen++;
        assert.equal(typeof frame === "string" ? frame : toHex(frame), isText ? step.text : toHex(step.bytes));
      }
      this.#at++;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return this.#seen;
  }
}

function openBall(): { platform: FakePlatform; connection: Connection; ball: SharedObject<Ball> } {
  const { platform, connection } = start();
  const ball = connection.sharedObject<Ball>("ball");
  platform.socket.welcome("c1");
  platform.socket.receive({ type: "answer", id: 2, status: "success", object: "room/ball", recovered: false });
  const x = { name: "x", value: 1, at: "1.1/1" };
  platform.socket.receive({ type: "snapshot", object: "room/ball", at: "1.1/1", properties: [x], dropped: 0 });
  return { platform, connection, ball };
}

for (const encoding of ENCODINGS) {
  test(`[SDK1] one object, as in the golden exchange, in ${encoding}`, async () => {
    const { platform, connection } = start({ ...WHO, encoding });
    const server = new GoldenServer(golden("object"), platform, encoding);
    const ball = connection.sharedObject<Ball>("ball", { durable: false });
    platform.socket.open();
    await server.play();
    await ball.opened;
    const messages: unknown[] = [];
    ball.on("message", ({ name, arguments: args, isOwn }) => messages.push([name, args, isOwn]));
    const done = async (write: Promise<void>): Promise<void> => {
      await server.play();
      await write;
    };
    const batch = ball.batch((write) => {
      write.set("x", 12);
      write.set("y", 7);
    });
    await done(batch);
    const position = ball.positionOf("x");
    await done(ball.set("x", 12));
    assert.equal(ball.get("x"), 13, "another client was faster than the next write");
    const stale = ball.compareAndSet("x", 14, position);
    await server.play();
    const error = await stale.catch((reason: unknown) => reason);
    assert.ok(error instanceof SluiceError);
    assert.deepEqual(
      [error.code, error.detail, error.current.map((one) => ({ ...one }))],
      ["stale", "x", [{ name: "x", value: 13, at: "1.1/3" }]],
    );
    const moved = ball.batch((write) => {
      write.compareAndSet("x", 14);
      write.remove("y");
      write.send("bump", "hard", 2);
    });
    await done(moved);
    assert.deepEqual(messages, [["bump", ["hard", 2], true]]);
    await done(ball.lock(5_000));
    assert.equal(ball.lockOwner, "c1");
    await done(ball.unlock());
    assert.equal(ball.lockOwner, undefined);
    await done(ball.clear());
    await done(ball.compareAndSet("x", 1));
    assert.deepEqual([...ball.entries()], [["x", 1]]);
    const second = ball.compareAndSet("x", 2, null);
    await server.play();
    await assert.rejects(second, { code: "stale" });
    const third = ball.compareAndSet("y", 2, "1.1/8");
    assert.equal(await server.play(), 12);
    await assert.rejects(third, { code: "stale", detail: "y" });
  });

  test(`[SDK2] after a cut it goes on from where it stood, as in the golden exchange, in ${encoding}`, async () => {
    const { platform, connection } = start({ ...WHO, encoding });
    const ball = connection.sharedObject<Ball>("ball");
    platform.socket.welcome("c0");
    platform.socket.receive({ type: "answer", id: 2, status: "success", object: "room/ball", recovered: false });
    const x = { name: "x", value: 1, at: "1.1/2" };
    platform.socket.receive({ type: "snapshot", object: "room/ball", at: "1.1/2", properties: [x], dropped: 0 });
    const heard: string[] = [];
    ball.on("reset", () => heard.push("reset"));
    ball.on("message", ({ name }) => heard.push(name));
    platform.socket.break();
    assert.equal(connection.state.at, "reconnecting");
    platform.clock.advance(1_000);
    platform.socket.open();
    await new GoldenServer(golden("resume"), platform, encoding).play();
    assert.deepEqual(heard, ["bump"]);
    assert.equal(ball.get("x"), 1);
    assert.equal(platform.sockets.length, 2);
  });

  test(`[SDK3] the server calls, as in the golden exchange, in ${encoding}`, async () => {
    const { platform, connection } = start({ ...WHO, encoding });
    connection.handle("greet", (name) => `hello, ${name as string}`);
    const server = new GoldenServer(golden("called"), platform, encoding);
    platform.socket.open();
    for (let round = 0; round < 3; round++) await server.play();
    assert.equal(await server.play(), 3);
  });
}

test("[SDK4] a wish shows at once, is corrected by a refusal, and stays until the home's change has come", async () => {
  const { platform, ball } = openBall();
  const refused = ball.set("x", 5);
  assert.equal(ball.get("x"), 5);
  platform.socket.receive({ type: "answer", id: 3, status: "refused", code: "denied", detail: "write" });
  await assert.rejects(refused, { code: "denied", detail: "write" });
  assert.equal(ball.get("x"), 1);
  const done = ball.set("x", 6);
  platform.socket.receive({ type: "answer", id: 4, status: "success", at: "1.1/4" });
  await done;
  assert.equal(ball.get("x"), 6, "the client is behind: its change comes later");
  const operations = [{ type: "set", name: "x", value: 7 }] as const;
  platform.socket.receive({ type: "change", object: "room/ball", from: "1.1/1", to: "1.1/5", operations });
  assert.equal(ball.get("x"), 7);
});

test("[SDK4] a wish that a merged change has passed hides nothing once it is done", async () => {
  const { platform, ball } = openBall();
  const done = ball.set("x", 6);
  const operations = [{ type: "set", name: "x", value: 7 }] as const;
  platform.socket.receive({ type: "change", object: "room/ball", from: "1.1/1", to: "1.1/3", operations });
  assert.equal(ball.get("x"), 6, "nobody has answered yet");
  platform.socket.receive({ type: "answer", id: 3, status: "success", at: "1.1/2" });
  await done;
  assert.equal(ball.get("x"), 7);
});

test("[SDK4] a conditional write shows once it is done", async () => {
  const { platform, ball } = openBall();
  const write = ball.compareAndSet("x", 9);
  assert.equal(ball.get("x"), 1);
  const operations = [{ type: "set", name: "x", value: 9 }] as const;
  const by = { client: "c1", id: 3 };
  platform.socket.receive({ type: "change", object: "room/ball", from: "1.1/1", to: "1.1/2", operations, by });
  platform.socket.receive({ type: "answer", id: 3, status: "success", at: "1.1/2" });
  await write;
  assert.equal(ball.get("x"), 9);
});

test("[SDK5] writes wait for a connection; one that was under way when it broke has an unknown outcome", async () => {
  const { platform, ball } = openBall();
  const underWay = ball.set("x", 2);
  platform.socket.break();
  await assert.rejects(underWay, { code: "unknown-outcome" });
  assert.equal(ball.get("x"), 1);
  const waiting = ball.set("x", 3);
  assert.equal(ball.get("x"), 3);
  platform.clock.advance(1_000);
  platform.socket.welcome("c2");
  platform.socket.receive({ type: "answer", id: 2, status: "success", object: "room/ball", recovered: true });
  assert.deepEqual(platform.socket.requests.at(-1)?.["type"], "write");
  platform.socket.receive({ type: "answer", id: 3, status: "success", at: "1.1/2" });
  await waiting;
});

test("[SDK5] what waits is bounded, and refused by the limit's name", async () => {
  const { connection } = start();
  const ball = connection.sharedObject<Ball>("ball");
  for (let i = 0; i < SDK_LIMITS.waitingWrites; i++) void ball.set("x", i);
  await assert.rejects(ball.set("x", -1), { code: "limit", detail: "waitingWrites" });
  assert.equal(ball.get("x"), SDK_LIMITS.waitingWrites - 1);
});

test("[SDK6] waits between attempts grow to half a minute, and a page can show them", () => {
  const { platform, connection } = start();
  const waits: number[] = [];
  connection.on("state", (state) => {
    if (state.at === "reconnecting" && state.wait > 0) waits.push(state.wait);
  });
  for (let i = 0; i < 7; i++) {
    platform.socket.break();
    platform.clock.advance(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  platform.socket.welcome("c1");
  platform.clock.advance(SDK_LIMITS.pingInterval);
  assert.equal(platform.socket.requests.at(-1)?.["type"], "ping");
  platform.socket.receive({ type: "answer", id: 2, status: "success" });
  platform.clock.advance(SDK_LIMITS.pingInterval);
  platform.socket.receive({ type: "answer", id: 3, status: "success" });
  platform.clock.advance(10_000);
  platform.socket.break();
  assert.equal(waits.at(-1), 1_000, "a minute of good connection");
});

for (const code of [1000, 1009, 4000, 4001, 4003, 4006]) {
  test(`[SDK7] close code ${code} is final: everything of the connection ends with it`, async () => {
    const { platform, connection, ball } = openBall();
    const write = ball.set("x", 2);
    platform.socket.break(code, "because");
    assert.deepEqual({ ...connection.state }, { at: "closed", code, reason: "because" } satisfies ConnectionState);
    await assert.rejects(write, { code: "unknown-outcome" });
    await assert.rejects(ball.set("x", 3), { code: "closed", detail: "because" });
    await assert.rejects(connection.call("greet"), { code: "closed" });
    assert.equal(platform.clock.pendingCount, 0);
  });
}

test("[SDK7] a refused connect tells its reason", () => {
  const { platform, connection } = start();
  platform.socket.open();
  platform.socket.receive({ type: "answer", id: 1, status: "refused", code: "denied", detail: "no such user" });
  platform.socket.break(4001);
  assert.deepEqual({ ...connection.state }, { at: "closed", code: 4001, reason: "no such user" });
});

test("[SDK8] a move: the new connection is opened first, with the own query, objects go on there, the old one closes", async () => {
  const platform = new FakePlatform();
  const connection = new Connection(platform, "ws://here/room?sign=s", { token: "t" });
  const ball = connection.sharedObject<Ball>("ball");
  const old = platform.socket;
  assert.equal(old.url, "ws://here/room?sign=s&token=t");
  old.welcome("c1");
  old.receive({ type: "answer", id: 2, status: "success", object: "room/ball", recovered: false });
  old.receive({ type: "snapshot", object: "room/ball", at: "1.1/1", properties: [], dropped: 0 });
  const write = ball.set("x", 2);
  old.receive({ type: "move", url: "ws://there/room", reason: "draining" });
  const next = platform.socket;
  assert.equal(next.url, "ws://there/room?sign=s&token=t");
  assert.equal(connection.state.at, "open");
  next.welcome("c2");
  assert.equal(next.requests[1]?.["from"], "1.1/1");
  assert.equal(old.closedWith, undefined, "an answer is still to come");
  old.receive({ type: "answer", id: 3, status: "success", at: "1.1/2" });
  await write;
  assert.equal(old.closedWith, 1000);
  assert.equal(connection.state.at === "open" && connection.state.client, "c2");
});

test("[SDK8] a secret connection follows to no address in clear text, where its token would be read", () => {
  const platform = new FakePlatform();
  const connection = new Connection(platform, "wss://here/room?token=t", {});
  platform.socket.welcome("c1");
  platform.socket.receive({ type: "move", url: "ws://there/room", reason: "draining" });
  assert.deepEqual([connection.state.at, platform.sockets.length], ["open", 1]);
  platform.socket.receive({ type: "move", url: "wss://there/room", reason: "draining" });
  assert.equal(platform.socket.url, "wss://there/room?token=t");
});

test("[SDK8] moved at once with 4004, and no more than five times in a minute", () => {
  const { platform, connection } = start();
  for (let i = 0; i < 6; i++) {
    platform.socket.open();
    platform.socket.receive({ type: "move", url: `ws://there${i}/room`, reason: "full" });
    platform.socket.break(4004);
  }
  assert.equal(platform.sockets.length, 6);
  assert.equal(connection.state.at === "reconnecting" && connection.state.wait, 1_000);
});

test("[SDK9] a server that gives no sign of life is left, and one that does not answer connect", () => {
  const { platform, connection } = openBall();
  platform.clock.advance(SDK_LIMITS.pingInterval + SDK_LIMITS.answerTimeout);
  assert.equal(connection.state.at, "reconnecting");
  platform.clock.advance(1_000);
  platform.socket.open();
  platform.clock.advance(SDK_LIMITS.connectTimeout);
  assert.deepEqual([connection.state.at, platform.socket.closedWith], ["reconnecting", 4002]);
});

test("[SDK10] what is no plain data is refused with its path before it is sent", async () => {
  const { platform, connection } = openBall();
  const any = connection.sharedObject<Record<string, unknown>>("ball");
  const sent = platform.socket.sent.length;
  await assert.rejects(any.set("x", { a: [() => 1] }), { code: "not-plain", detail: "operations[0].value.a[0]" });
  await assert.rejects(any.set("__proto__", 1), { code: "not-plain", detail: "__proto__" });
  assert.equal(platform.socket.sent.length, sent);
});

test("[SDK11] an object that may not be opened ends with the reason; one without a home is asked for again", async () => {
  const { platform, connection } = start();
  const closed = connection.sharedObject("closed");
  const homeless = connection.sharedObject("homeless");
  platform.socket.welcome("c1");
  platform.socket.receive({ type: "answer", id: 2, status: "refused", code: "denied", detail: "read" });
  platform.socket.receive({ type: "answer", id: 3, status: "refused", code: "unavailable", detail: "" });
  await assert.rejects(closed.opened, { code: "denied", detail: "read" });
  await assert.rejects(closed.set("x", 1), { code: "denied" });
  platform.clock.advance(1_000);
  const last = platform.socket.requests.at(-1);
  assert.deepEqual([last?.["type"], last?.["name"]], ["open", "homeless"]);
  assert.equal(connection.sharedObject("homeless"), homeless);
});

test("[SDK12] a signal or disposal closes the connection, its objects and its timers", async () => {
  const stop = new AbortController();
  const { platform, connection } = start({ signal: stop.signal });
  const ball = connection.sharedObject("ball");
  platform.socket.welcome("c1");
  stop.abort();
  assert.equal(connection.state.at, "closed");
  assert.equal(platform.socket.closedWith, 1000);
  await assert.rejects(ball.opened, { code: "closed" });
  assert.equal(platform.clock.pendingCount, 0);
});

test("[SDK12] an object that waits for its home holds no timer beyond its connection", () => {
  const { platform, connection } = start();
  connection.sharedObject("ball");
  platform.socket.welcome("c1");
  platform.socket.receive({ type: "answer", id: 2, status: "refused", code: "unavailable", detail: "" });
  connection.close();
  assert.equal(platform.clock.pendingCount, 0);
});

test("[SDK13] tokens are asked for anew for each connection; without one it is tried again later", async () => {
  const tokens = ["first", "second"];
  const token = async (): Promise<string> => tokens.shift() ?? Promise.reject(new Error("signed out"));
  const { platform, connection } = start({ token });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const expected of ["first", "second"]) {
    await turn();
    assert.equal(platform.socket.url, `ws://here/room?token=${expected}`);
    platform.socket.break();
    platform.clock.advance(2_000);
  }
  await turn();
  assert.equal(platform.sockets.length, 2);
  assert.match(connection.state.at === "reconnecting" ? connection.state.reason : "", /signed out/);
});

test("[SDK13] a move for which there is no token, or no address, leaves the connection as it is", async () => {
  const tokens = ["first"];
  const token = async (): Promise<string> => tokens.shift() ?? Promise.reject(new Error("signed out"));
  const { platform, connection } = start({ token });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  platform.socket.welcome("c1");
  platform.socket.receive({ type: "move", url: "nowhere", reason: "draining" });
  platform.socket.receive({ type: "move", url: "ws://there/room", reason: "draining" });
  await turn();
  assert.deepEqual([connection.state.at, platform.sockets.length], ["open", 1]);
  platform.socket.break();
  assert.equal(connection.state.at === "reconnecting" && connection.state.wait, 1_000);
});

/** RESP clients at the socket: who speaks another protocol, who does not read, and who says nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { defineCommands } from "@sluice/cache/resp/command";
import type { CacheName } from "@sluice/cache/state/operation";
import { DEFAULT_RESP_LIMITS } from "@sluice/gcache/node/limits";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import { oneClient, openListener, overhear, RawClient } from "./resp-fixture.ts";

const request = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const COMMANDS = `SET stolen 1\r\n${request("SET", "stolen", "1")}FLUSHALL\r\n`;

const FOREIGN = [
  { says: "POST", protocol: "HTTP", text: `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n${COMMANDS}` },
  { says: "lower case", protocol: "HTTP", text: `post /set http/1.1\r\n\r\n${COMMANDS}` },
  { says: "another method", protocol: "HTTP", text: `SET /a HTTP/1.1\r\n${COMMANDS}` },
  { says: "a header first", protocol: "HTTP", text: `Host: 127.0.0.1:6401\r\n\r\n${COMMANDS}` },
  { says: "bytes before it", protocol: "HTTP", text: `\r\n\0 \tPUT /x\r\n${COMMANDS}` },
  { says: "TLS", protocol: "TLS", text: `\x16\x03\x01\x02\x00\x01\r\n${COMMANDS}` },
] as const;

for (const { says, protocol, text } of FOREIGN) {
  test(`[RSP100] ${protocol} on the RESP port (${says}) is ended, counted and logged, and nothing of it is done`, async () => {
    const heard = overhear();
    await using at = await openListener(heard);
    for (const size of [text.length, 1]) {
      using client = await RawClient.dial(at.port);
      for (let from = 0; from < text.length; from += size) client.send(text.slice(from, from + size));
      await client.closed;
      assert.match(client.heard, new RegExp(`^(?:-ERR Protocol error: this port speaks RESP, not ${protocol}\r\n)?$`));
    }
    assert.equal(at.store.state.findCache("0" as CacheName), undefined);
    assert.equal(at.traffic.commands, 0);
    assert.equal(heard.counted.get(`cache_clients_misdirected ${protocol}`), 2);
    assert.equal(heard.lines.filter((line) => line.includes("does not speak RESP")).length, 2);
  });
}

test("[RSP101] who still sends when its connection ends hears why, and is not reset", async () => {
  await using at = await openListener(overhear());
  using client = await RawClient.dial(at.port);
  client.send("*1\r\n$-5\r\n");
  for (let i = 0; i < 200; i++) client.send("x".repeat(100_000));
  client.socket.end();
  await client.closed;
  assert.equal(client.heard, "-ERR Protocol error: invalid bulk length\r\n");
});

test("[RSP7] who sends a value over the limit hears the limit, and goes on", async () => {
  await using at = await openListener(overhear());
  using client = await RawClient.dial(at.port);
  const heard = await client.ask(request("SET", "a", "x".repeat(17 << 20)) + request("PING"), (text) =>
    text.endsWith("PONG\r\n"),
  );
  assert.match(
    heard,
    /^-ERR an argument of 17825792 bytes is larger than the limit of 16777216: nothing was done\r\n\+PONG/,
  );
});

test("[RSP101] a connection that is over is not kept for ever, nor read from without end", async () => {
  const silent = oneClient();
  silent.socket.send("QUIT\r\n");
  assert.equal(silent.socket.hasEnded, true);
  assert.equal(silent.socket.destroyed, false);
  silent.clock.advance(silent.limits.linger);
  assert.equal(silent.socket.destroyed, true);
  assert.equal(silent.clock.pendingCount, 0);
  const loud = oneClient({ lingerBytes: 1_000 });
  loud.socket.send("QUIT\r\n");
  loud.socket.send("x".repeat(1_001));
  assert.equal(loud.socket.destroyed, true);
});

test("[RSP102] a client that writes 400,000 commands before it reads gets all its answers", async () => {
  await using at = await openListener(overhear());
  using client = await RawClient.dial(at.port);
  client.socket.pause();
  const value = "v".repeat(40);
  client.send(request("SET", "a", value));
  const piece = request("GET", "a").repeat(1_000);
  for (let i = 0; i < 400; i++) {
    client.send(piece);
    if (client.socket.writableNeedDrain) await once(client.socket, "drain"); // it reads nothing until all is written
  }
  const wanted = "+OK\r\n".length + 400_000 * bulk(value).length;
  await client.ask("", (text) => {
    client.socket.resume();
    return text.length >= wanted;
  });
  assert.equal(client.heard.length, wanted);
});

test("[RSP102] who reads nothing while its requests wait, too, hears so behind its answers, and may write to the end", async () => {
  const { socket, clock, limits, ends, connection } = oneClient({ pauseBytes: 10_000, pieceBytes: 5_000 });
  socket.send(request("SET", "a", "x".repeat(10_000)));
  await new Promise((resolve) => setImmediate(resolve));
  const get = request("GET", "a");
  while (socket.unsentBytes === 0) socket.send(get.repeat(20_000));
  socket.send(get.repeat(100_000)); // the server does not read this any more
  clock.advance(limits.unreadPressed - 1);
  assert.deepEqual(ends, []);
  clock.advance(1);
  assert.deepEqual(ends, ["does-not-read"]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(socket.unsentBytes, 0, "so that the client comes to read");
  assert.equal(connection.session.inputBytes, 0);
  await socket.read();
  assert.match(socket.heard, /x\r\n-ERR Too many replies are unread: [^\r]*\r\n$/);
  assert.equal(socket.hasEnded, true);
});

test("[RSP8] a client that reads a little at a time is kept, one that reads nothing for a minute is dropped", () => {
  const { socket, clock, limits, ends } = oneClient({ pauseBytes: 10_000, pieceBytes: 1_000 });
  socket.send(`${"ECHO ".concat("x".repeat(900))}\r\n`.repeat(100));
  assert.ok(socket.writableLength > 10_000);
  for (let waited = 0; waited < 3 * limits.unread; waited += limits.unreadPressed) {
    clock.advance(limits.unreadPressed);
    if (waited % (4 * limits.unreadPressed) === 0 && waited < 2 * limits.unread) socket.readSome(1);
    if (waited < 2 * limits.unread) assert.deepEqual(ends, [], `after ${waited} ms`);
  }
  assert.deepEqual(ends, ["does-not-read"]);
  clock.advance(limits.unread + limits.unreadPressed);
  assert.equal(socket.destroyed, true);
});

test("[RSP103] many who read nothing hold no more than the bound, and others are served", async () => {
  const heard = overhear();
  const heldBytes = 8 * 1024 * 1024;
  await using at = await openListener({ ...heard, limits: { heldBytes, unreadPressed: 50 as Millis } });
  using other = await RawClient.dial(at.port);
  const value = "x".repeat(1_000_000);
  await other.ask(request("SET", "a", value), (text) => text === "+OK\r\n");
  const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.dial(at.port)));
  let most = 0;
  for (const client of clients) {
    client.socket.pause();
    client.send(request("GET", "a").repeat(50));
  }
  for (let i = 0; i < 200; i++) {
    assert.equal(await other.ask("PING\r\n", (text) => text !== ""), "+PONG\r\n");
    most = Math.max(most, at.listener.load.heldBytes);
  }
  // One value more for the one whose turn it was when the bound was reached.
  assert.ok(most < heldBytes + 3 * value.length, `${most}`);
  assert.equal(await other.ask(request("GET", "a"), (text) => text.length >= bulk(value).length), bulk(value));
  for (const client of clients) client[Symbol.dispose]();
  await Promise.all(clients.map(({ closed }) => closed));
});

test("[RSP103] what was held goes with its connection, and those that waited go on", async () => {
  const heldBytes = 3_000_000;
  await using at = await openListener({ ...overhear(), limits: { heldBytes, unreadPressed: 60_000 as Millis } });
  using other = await RawClient.dial(at.port);
  const value = "x".repeat(1_000_000);
  await other.ask(request("SET", "a", value), (text) => text === "+OK\r\n");
  const deaf = await RawClient.dial(at.port);
  deaf.socket.pause();
  deaf.send(request("GET", "a").repeat(50));
  while (!at.listener.load.isPressed) await other.ask("PING\r\n", (text) => text !== "");
  const got = other.ask(request("GET", "a"), (text) => text.length >= bulk(value).length);
  deaf[Symbol.dispose]();
  assert.equal(await got, bulk(value));
  while (at.listener.load.heldBytes > 0) await other.ask("PING\r\n", (text) => text !== "");
});

test("[RSP108] silent connections make room for those that say their password", async () => {
  const heard = overhear();
  const limits = { strangers: 5, strangersPerAddress: 4 };
  await using at = await openListener({ ...heard, password: "p", limits });
  using known = await RawClient.dial(at.port);
  assert.equal(await known.ask("AUTH p\r\n", (text) => text !== ""), "+OK\r\n");
  const silent = [];
  for (let i = 0; i < 20; i++) silent.push(await RawClient.dial(at.port));
  await Promise.all(silent.slice(0, 16).map(({ closed }) => closed));
  using late = await RawClient.dial(at.port);
  assert.equal(await late.ask("AUTH p\r\nPING\r\n", (text) => text.includes("PONG")), "+OK\r\n+PONG\r\n");
  assert.equal(await known.ask("PING\r\n", (text) => text !== ""), "+PONG\r\n");
  assert.ok((heard.counted.get("handshakes_cut_total resp crowded") ?? 0) >= 16);
  for (const one of silent) one[Symbol.dispose]();
});

test("[RSP108] who does not say the password in time is cut off; whoever said it is not", async () => {
  const heard = overhear();
  const clock = new FakeClock();
  await using at = await openListener({ ...heard, password: "p", clock });
  using known = await RawClient.dial(at.port);
  await known.ask("AUTH p\r\n", (text) => text !== "");
  using busy = await RawClient.dial(at.port);
  assert.match(await busy.ask("GET a\r\n", (text) => text !== ""), /^-NOAUTH/);
  clock.advance(DEFAULT_RESP_LIMITS.handshake);
  await busy.closed;
  assert.equal(heard.counted.get("handshakes_cut_total resp overdue"), 1);
  assert.equal(await known.ask("PING\r\n", (text) => text !== ""), "+PONG\r\n");
});

test("[RSP108] where no password is needed, those that asked nothing have half of the places at most", async () => {
  const heard = overhear();
  await using at = await openListener({ ...heard, limits: { clients: 8 } });
  using known = await RawClient.dial(at.port);
  await known.ask("PING\r\n", (text) => text !== "");
  const silent = [];
  for (let i = 0; i < 12; i++) silent.push(await RawClient.dial(at.port));
  await Promise.all(silent.slice(0, 8).map(({ closed }) => closed));
  assert.equal(await known.ask("PING\r\n", (text) => text !== ""), "+PONG\r\n");
  const last = silent.at(-1) as RawClient;
  assert.equal(await last.ask("PING\r\n", (text) => text !== ""), "+PONG\r\n");
  for (const one of silent) one[Symbol.dispose]();
});

test("[RSP104] one client's long pipeline is done in turns, and another's single command between them", async () => {
  await using at = await openListener({ ...overhear(), limits: { turnWork: 2_000, clientWork: 1_000 } });
  using long = await RawClient.dial(at.port);
  using short = await RawClient.dial(at.port);
  const count = 50_000;
  const done = long.ask("PING\r\n".repeat(count), (text) => text.length >= count * "+PONG\r\n".length);
  await once(long.socket, "data");
  assert.equal(await short.ask("ECHO between\r\n", (text) => text !== ""), bulk("between"));
  assert.ok(at.traffic.commands < count, "the long one is not done yet");
  assert.equal((await done).length, count * "+PONG\r\n".length);
});

test("[RSP104] after a command that took more than a turn's measure, all clients rest for as long as it was over it", async () => {
  const clock = new FakeClock();
  const commands = defineCommands("server", [
    {
      name: "heavy",
      kind: "local",
      arity: 1,
      summary: "Takes 50 ms",
      run: (call) => {
        call.spend(50_000);
        call.reply.simple("DONE");
      },
    },
  ]);
  const limits = { turnWork: 1_000, clientWork: 1_000 };
  await using at = await openListener({ ...overhear(), clock, commands, limits });
  using heavy = await RawClient.dial(at.port);
  using light = await RawClient.dial(at.port);
  await light.ask("PING\r\n", (heard) => heard.includes("PONG"));
  await heavy.ask("HEAVY\r\n", (heard) => heard.includes("DONE"));
  light.heard = "";
  light.send("PING\r\n");
  await until("the request to be there", () => at.traffic.inputBytes === "PING\r\nHEAVY\r\nPING\r\n".length);
  clock.advance(48);
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(light.heard, "", "the loop is left to others");
  clock.advance(2);
  await until("the answer", () => light.heard === "+PONG\r\n");
});

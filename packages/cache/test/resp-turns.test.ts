/** What clients may have done for them in one turn of the event loop, and hold: each, and all together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkTurn } from "@sluice/cache/resp/work-turn";
import { OneMember } from "./support/one-member.ts";
import { bulk, request, Talk } from "./support/resp-talk.ts";

/** Begins turn after turn until the session has nothing more to do. @returns how many it took */
function turnsOf(talk: Talk, turn: WorkTurn): number {
  let turns = 0;
  while (talk.session.isDue) {
    turn.begin();
    talk.session.goOn();
    talk.member.turn();
    turns++;
  }
  return turns;
}

test("[RSP104] a long pipeline is carried out over several turns, in order", () => {
  const turn = new WorkTurn({ turnWork: 1_000, clientWork: 100 });
  const member = new OneMember({ turn });
  const [one, two] = [new Talk(member), new Talk(member)];
  one.send("PING\r\n".repeat(1_000) + request("ECHO", "end"));
  assert.ok(one.session.isDue);
  assert.ok(one.session.outputBytes < 100 * "+PONG\r\n".length);
  two.send("PING\r\n");
  assert.equal(two.hear(), "+PONG\r\n"); // what one client may have is less than a turn
  assert.ok(turnsOf(one, turn) >= 10);
  assert.equal(one.hear(), "+PONG\r\n".repeat(1_000) + bulk("end"));
});

test("[RSP104] once a turn is over, nobody has anything more done in it", () => {
  const turn = new WorkTurn({ turnWork: 100, clientWork: 100 });
  const member = new OneMember({ turn });
  const [one, two] = [new Talk(member), new Talk(member)];
  one.send("PING\r\n".repeat(200));
  two.send("PING\r\n");
  assert.equal(two.hear(), "");
  assert.ok(two.session.isDue);
  assert.ok(two.session.isBusy);
  turn.begin();
  two.session.goOn();
  assert.equal(two.hear(), "+PONG\r\n");
});

test("[RSP104] KEYS goes on over several turns, tells what stands all the time, and holds up its client only", () => {
  const turn = new WorkTurn({ turnWork: 5_000, clientWork: 5_000 });
  const member = new OneMember({ turn });
  const [one, two] = [new Talk(member), new Talk(member)];
  const write = (names: readonly string[]): void => {
    for (let at = 0; at < names.length; at += 1_000) {
      turn.begin();
      one.say(request("MSET", ...names.slice(at, at + 1_000).flatMap((name) => [name, "v"])));
    }
  };
  write(Array.from({ length: 40_000 }, (_, i) => `stay${i}`));
  turn.begin();
  one.send(`${request("KEYS", "stay*")}PING\r\n`);
  assert.equal(one.hear(), "");
  assert.ok(one.session.isDue);
  turn.begin();
  assert.equal(two.say(request("DEL", "stay39999") + request("SET", "new", "1")), ":1\r\n+OK\r\n");
  assert.ok(turnsOf(one, turn) >= 2);
  const heard = one.hear();
  assert.match(heard, /^\*39999\r\n/);
  assert.match(heard, /\+PONG\r\n$/);
  assert.equal(new Set(heard.match(/stay\d+/g)).size, 39_999);
});

test("[RSP104] KEYS over the limit of a reply is refused on the way, and the session goes on", () => {
  const talk = new Talk({ limits: { replyBytes: 1_000 } });
  for (let i = 0; i < 200; i++) talk.say(request("SET", `key${i}`, ""));
  assert.equal(talk.say("KEYS *\r\nPING\r\n"), "-ERR the reply is larger than 1000 bytes\r\n+PONG\r\n");
});

test("[RSP104] a reply that is thrown away costs its client what it cost to make", () => {
  const turn = new WorkTurn({ turnWork: 1_000, clientWork: 1_000 });
  const member = new OneMember({ turn, limits: { replyBytes: 1_000_000 } });
  const talk = new Talk(member);
  talk.say(request("SET", "large", "x".repeat(400_000)));
  turn.begin();
  const before = turn.left;
  talk.send(request("MGET", "large", "large", "large"));
  assert.equal(talk.hear(), "-ERR the reply is larger than 1000000 bytes\r\n");
  assert.ok(before - turn.left >= 800_000 / 1_024, `${before - turn.left} units`);
});

for (const [command, reply] of [
  ["EXISTS", ":1000\r\n"],
  ["TOUCH", ":1000\r\n"],
  ["DEL", ":1000\r\n"],
  ["UNLINK", ":1000\r\n"],
  ["MGET", `*1200\r\n${bulk("v").repeat(1_000)}${"$-1\r\n".repeat(200)}`],
] as const) {
  test(`[RSP104] ${command} of many keys is done a piece at a time, with one reply`, () => {
    const turn = new WorkTurn({ turnWork: 50, clientWork: 50 });
    const member = new OneMember({ turn, limits: { keysInPiece: 100 } });
    const talk = new Talk(member);
    const names = Array.from({ length: 1_200 }, (_, i) => `k${i}`);
    for (const name of names.slice(0, 1_000)) {
      turn.begin();
      talk.say(request("SET", name, "v"));
    }
    turn.begin();
    talk.send(`${request(command, ...names)}PING\r\n`);
    assert.ok(talk.session.isDue);
    talk.member.turn();
    assert.ok(turnsOf(talk, turn) >= 10);
    assert.equal(talk.hear(), `${reply}+PONG\r\n`);
  });
}

test("[RSP104] a DEL in pieces of which one fails is answered with that error alone", () => {
  const talk = new Talk({ limits: { keysInPiece: 2 } });
  talk.send(`${request("DEL", "a", "b", "c", "d", "e")}PING\r\n`);
  talk.session.failed(2, "unknown-outcome");
  talk.session.answered(1, { type: "count", count: 2 });
  talk.session.answered(3, { type: "count", count: 1 });
  assert.match(talk.hear(), /^-UNKNOWNOUTCOME [^\r]*\r\n\+PONG\r\n$/);
});

test("[RSP104] a command that is done whole has a limit of keys, and one about the member has one of words", () => {
  const talk = new Talk({ limits: { keysWritten: 3, localWords: 5 } });
  assert.match(talk.say("MSET a 1 b 1 c 1 d 1\r\n"), /^-ERR 4 keys are more than the limit of 3 for 'mset'/);
  assert.match(talk.say("MSETNX a 1 b 1 c 1 d 1\r\n"), /^-ERR 4 keys are more/);
  assert.equal(talk.say("MSET a 1 b 1 c 1\r\n"), "+OK\r\n");
  assert.match(talk.say("CONFIG GET a b c d\r\n"), /^-ERR 6 words are more than the limit of 5 for 'config\|get'/);
  assert.match(talk.say("COMMAND INFO a b c d\r\n"), /^-ERR 6 words are more/);
});

test("[RSP24] SCAN stops before its COUNT where that is more than one go", () => {
  const talk = new Talk();
  for (let at = 0; at < 40_000; at += 1_000) {
    const names = Array.from({ length: 1_000 }, (_, i) => `key${at + i}`);
    talk.say(request("MSET", ...names.flatMap((name) => [name, "v"])));
  }
  const seen = new Set<string>();
  let calls = 0;
  let cursor = "0";
  do {
    const reply = talk.say(`SCAN ${cursor} COUNT 1000000\r\n`);
    cursor = /^\*2\r\n\$\d+\r\n(\d+)\r\n/.exec(reply)?.[1] ?? "none";
    for (const [key] of reply.matchAll(/key\d+/g)) seen.add(key);
    calls++;
  } while (cursor !== "0");
  assert.ok(calls > 1);
  assert.equal(seen.size, 40_000);
});

test("[RSP25] a pattern, and a channel, over the limit is refused", () => {
  const talk = new Talk();
  const long = "a".repeat(1_025);
  assert.match(talk.say(request("KEYS", long)), /^-ERR a pattern of 1025 bytes is longer than the limit of 1024/);
  assert.match(talk.say(request("SCAN", "0", "MATCH", long)), /^-ERR a pattern of 1025/);
  assert.match(talk.say(request("PSUBSCRIBE", "a", long)), /^-ERR a name of 1025 bytes/);
  assert.equal(talk.session.row.subscriptionCount, 0);
});

test("[RSP102] what a client that does not read has sent waits up to a bound of its own", () => {
  const talk = new Talk({ limits: { outputBytes: 1_000, waitingInputBytes: 100, unreadInputBytes: 10_000 } });
  talk.say(request("SET", "a", "x".repeat(500)));
  const get = request("GET", "a");
  for (let i = 0; i < 300; i++) talk.send(get);
  assert.equal(talk.session.isPaused, false);
  while (!talk.session.isPaused) talk.send(get);
  assert.ok(talk.session.inputBytes > 10_000 && talk.session.inputBytes < 10_200);
  assert.ok(talk.session.outputBytes < 2_000);
  const heard = talk.hear();
  assert.ok(heard.length / bulk("x".repeat(500)).length > 300);
});

test("[RSP103] under pressure a client has little, nothing that it asked is lost, and the rest comes with the room", () => {
  const talk = new Talk();
  const value = "x".repeat(40_000);
  talk.say(request("SET", "a", value));
  talk.session.press(true);
  assert.equal(talk.say(`PING\r\n${request("GET", "a")}${request("GET", "a")}PING\r\n`), "+PONG\r\n");
  assert.ok(talk.session.inputBytes > 0);
  talk.session.press(false);
  talk.session.goOn();
  assert.equal(talk.hear(), bulk(value) + bulk(value) + "+PONG\r\n");
});

test("[RSP103] under pressure a large request that is not whole is given up, and its client hears so", () => {
  const talk = new Talk();
  const text = request("SET", "a", "x".repeat(100_000));
  talk.send(text.slice(0, 50_000));
  assert.ok(talk.session.inputBytes >= 50_000);
  talk.session.press(true);
  talk.send(text.slice(50_000, 60_000));
  assert.equal(talk.session.inputBytes, 0);
  assert.match(talk.say(`${text.slice(60_000)}${request("GET", "a")}`), /^-TRYAGAIN [^\r]*\r\n\$-1\r\n$/);
});

test("[RSP103] writes that answer what stood there count as much before the log has done them", () => {
  const talk = new Talk({ limits: { outputBytes: 100_000 } });
  talk.say(request("SET", "a", "x".repeat(40_000)));
  talk.send(request("GETEX", "a").repeat(100));
  assert.ok(talk.member.writeCount <= 3);
  talk.member.turn();
  let heard = talk.hear().length;
  for (let round = 0; round < 100 && heard < 100 * 40_000; round++) {
    talk.member.turn();
    assert.ok(talk.session.outputBytes < 200_000);
    heard += talk.hear().length;
  }
  assert.equal(heard, 100 * bulk("x".repeat(40_000)).length);
});

test("[RSP103] a single value over the bound of waiting replies is answered all the same", () => {
  const talk = new Talk({ limits: { outputBytes: 1_000 } });
  const value = "x".repeat(50_000);
  talk.say(request("SET", "a", value));
  assert.equal(talk.say(request("GET", "a") + request("GETDEL", "a")), bulk(value));
  talk.member.turn();
  assert.equal(talk.hear(), bulk(value));
});

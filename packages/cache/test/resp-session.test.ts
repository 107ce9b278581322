/** Sessions: order of replies, bounds, passwords, and what followers and leaders without a lease answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { latin1Bytes } from "@sluice/cache/state/integer-text";
import type { CacheName } from "@sluice/cache/state/operation";
import { fuzz } from "@sluice/testkit/fuzz";
import { CLUSTER, OneMember } from "./support/one-member.ts";
import { bulk, request, Talk } from "./support/resp-talk.ts";

test("[RSP3] replies are the same for bytes that arrive one by one", () => {
  const text = `${request("SET", "a", "1")}INCR a\r\n${request("GET", "a")}${request("NOSUCH")}PING\r\n`;
  const talk = new Talk();
  for (const char of text) talk.send(char);
  talk.member.turn();
  assert.equal(talk.hear(), new Talk().say(text));
});

test("[RSP4] errors and replies come in the order of their requests", () => {
  const talk = new Talk();
  const text = "SET a 1\r\nSET\r\nINCR a\r\nSET a x EX 0\r\nPING\r\nGET a\r\nDEL a b\r\n";
  talk.send(text);
  assert.equal(talk.hear(), "");
  talk.member.turn();
  assert.equal(
    talk.hear(),
    `+OK\r\n-ERR wrong number of arguments for 'set' command\r\n:2\r\n-ERR invalid expire time in 'set' command\r\n+PONG\r\n${bulk("2")}:1\r\n`,
  );
});

test("[RSP4] answers that come in another order are told in the order of the requests", () => {
  const talk = new Talk();
  talk.send("INCR a\r\nINCR b\r\nINCR c\r\n");
  talk.session.answered(3, { type: "number", text: "3" });
  talk.session.answered(2, { type: "number", text: "2" });
  assert.equal(talk.hear(), "");
  talk.session.answered(1, { type: "number", text: "1" });
  assert.equal(talk.hear(), ":1\r\n:2\r\n:3\r\n");
});

test("[RSP5] a read sees the writes before it, and not those behind it", () => {
  const talk = new Talk();
  talk.send("SET a 1\r\nGET a\r\nSET a 2\r\nGET a\r\n");
  assert.equal(talk.member.writeCount, 1);
  talk.member.turn();
  assert.equal(talk.hear(), `+OK\r\n${bulk("1")}+OK\r\n${bulk("2")}`);
});

test("[RSP8] a client that does not read is served up to a bound, and then paused", () => {
  const talk = new Talk({ limits: { outputBytes: 10_000, waitingInputBytes: 5_000, unreadInputBytes: 5_000 } });
  talk.say(request("SET", "big", "x".repeat(1_000)));
  for (let i = 0; i < 1_000 && !talk.session.isPaused; i++) talk.send(request("GET", "big"));
  assert.ok(talk.session.isPaused);
  assert.ok(talk.session.outputBytes < 12_000);
  assert.ok(talk.session.inputBytes < 6_000);
  const heard = talk.hear();
  assert.equal(talk.session.isPaused, false);
  assert.equal(talk.session.inputBytes, 0);
  assert.equal(heard.length % bulk("x".repeat(1_000)).length, 0);
  assert.ok(heard.length > 100_000);
});

test("[RSP8] a client that writes without end has a bounded number under way", () => {
  const talk = new Talk({ limits: { pendingRequests: 10, waitingInputBytes: 1_000 } });
  for (let i = 0; i < 1_000 && !talk.session.isPaused; i++) talk.send(request("INCR", "a"));
  assert.ok(talk.session.isPaused);
  assert.equal(talk.member.writeCount, 10);
  talk.member.turn();
  assert.equal(talk.session.isPaused, false);
  assert.match(talk.hear(), /:1\r\n:2\r\n.*:40\r\n/s);
});

test("[RSP10] a stranger may only say who it is", () => {
  const talk = new Talk({ password: "sécret" });
  const utf8 = "s\xc3\xa9cret";
  assert.equal(talk.say("GET a\r\n"), "-NOAUTH Authentication required.\r\n");
  assert.match(talk.say("HELLO 3\r\n"), /^-NOAUTH HELLO must be called/);
  assert.match(talk.say("AUTH wrong\r\n"), /^-WRONGPASS /);
  assert.match(talk.say(`AUTH other ${utf8}\r\n`), /^-WRONGPASS /);
  assert.equal(talk.say(`AUTH ${utf8}\r\n`), "+OK\r\n");
  assert.equal(talk.say("GET a\r\n"), "$-1\r\n");
  assert.equal(talk.say("RESET\r\nGET a\r\n"), "+RESET\r\n-NOAUTH Authentication required.\r\n");
  assert.match(talk.say(`HELLO 3 AUTH default ${utf8} SETNAME me\r\n`), /^%7\r\n/);
  assert.equal(talk.say("CLIENT GETNAME\r\n"), bulk("me"));
});

test("[RSP10] a stranger's large request ends the connection, a known client's does not", () => {
  const text = request("SET", "a", "x".repeat(20_000));
  const stranger = new Talk({ password: "p" });
  assert.match(stranger.say(text), /unauthenticated bulk length/);
  assert.equal(stranger.session.ended, "protocol-error");
  const known = new Talk({ password: "p" });
  assert.equal(known.say(`${request("AUTH", "p")}${text}`), "+OK\r\n+OK\r\n");
});

test("[RSP11] a follower answers reads behind READONLY, and no writes", () => {
  const talk = new Talk();
  talk.say("SET a 1\r\n");
  talk.member.standing = "not-leader";
  talk.member.failure = "not-leader";
  assert.match(talk.say("GET a\r\n"), /^-READONLY /);
  assert.equal(talk.say("READONLY\r\nGET a\r\n"), `+OK\r\n${bulk("1")}`);
  assert.equal(talk.say("SET a 2\r\n"), "-READONLY You can't write against a read only replica.\r\n");
  assert.match(talk.say("READWRITE\r\nGET a\r\n"), /^\+OK\r\n-READONLY /);
  talk.member.standing = "no-leader";
  assert.match(talk.say("GET a\r\n"), /^-MASTERDOWN /);
});

test("[RSP12] a leader in doubt answers reads once confirmed, each only by a confirmation begun behind it", () => {
  const talk = new Talk();
  talk.say("SET a 1\r\n");
  talk.member.standing = "confirm";
  talk.send("GET a\r\nGET a\r\n");
  assert.equal(talk.member.confirms.length, 1);
  talk.send("GET a\r\n");
  assert.equal(talk.hear(), "");
  const confirm = () => talk.member.confirms.splice(0).forEach(([sink, ticket]) => sink.confirmed(ticket));
  confirm();
  assert.equal(talk.hear(), bulk("1") + bulk("1"));
  assert.equal(talk.member.confirms.length, 1);
  confirm();
  assert.equal(talk.hear(), bulk("1"));
  talk.send("GET a\r\nPING\r\n");
  for (const [sink, ticket] of talk.member.confirms.splice(0)) sink.failed(ticket, "not-leader");
  assert.match(talk.hear(), /^-READONLY .*\r\n\+PONG\r\n$/);
});

test("[RSP13] a write whose outcome is unknown, and others that failed, have errors of their own", () => {
  const talk = new Talk();
  for (const [failure, word] of [
    ["unknown-outcome", "UNKNOWNOUTCOME"],
    ["no-leader", "MASTERDOWN"],
    ["overloaded", "TRYAGAIN"],
    ["too-large", "ERR The write is larger"],
    ["removed", "MASTERDOWN This member was removed"],
    ["storage-failed", "MISCONF"],
  ] as const) {
    talk.member.failure = failure;
    assert.match(talk.say("INCR a\r\n"), new RegExp(`^-${word} .*\r\n$`));
  }
  talk.member.failure = undefined;
  assert.equal(talk.say("INCR a\r\n"), ":1\r\n");
});

test("[RSP14] a killed client gets nothing of what waited, and a quitting one gets all", () => {
  const member = new OneMember();
  const killed = new Talk(member);
  killed.send("INCR a\r\n");
  new Talk(member).say(`CLIENT KILL ID ${killed.session.row.id}\r\n`);
  assert.equal(killed.session.ended, "killed");
  assert.equal(killed.hear(), "");
  const quitting = new Talk(member);
  quitting.send("INCR a\r\nQUIT\r\nINCR a\r\n");
  assert.equal(quitting.session.ended, undefined);
  member.turn();
  assert.equal(quitting.hear(), ":2\r\n+OK\r\n");
  assert.equal(quitting.session.ended, "quit");
});

test("[RSP17] a reply over the limit is refused whole, and the session goes on", () => {
  const talk = new Talk({ limits: { replyBytes: 1_000 } });
  const value = "v".repeat(400);
  assert.equal(talk.say(`SET a ${value}\r\nSET b ${value}\r\n`), "+OK\r\n+OK\r\n");
  const refused = "-ERR the reply is larger than 1000 bytes\r\n";
  assert.equal(talk.say("MGET a b\r\n"), `*2\r\n${bulk(value)}${bulk(value)}`);
  assert.equal(talk.say("PING\r\nMGET a b a\r\nGET b\r\n"), `+PONG\r\n${refused}${bulk(value)}`);
  assert.equal(talk.say("SET a x GET\r\nGET a\r\n"), `${bulk(value)}${bulk("x")}`);
});

test("[RSP15] expired keys are not there for any command", () => {
  const talk = new Talk();
  talk.say("SET a 1 PX 100\r\nSET b 1\r\n");
  talk.member.time = (talk.member.time + 101) as Millis;
  assert.equal(talk.say("GET a\r\nEXISTS a b\r\nKEYS *\r\nTTL a\r\n"), `$-1\r\n:1\r\n*1\r\n${bulk("b")}:-2\r\n`);
});

test("[RSP16] SELECT changes the database and nothing else", () => {
  const talk = new Talk();
  assert.equal(talk.say("SET a 1\r\nSELECT 3\r\nGET a\r\nSET a 3\r\nDBSIZE\r\n"), "+OK\r\n+OK\r\n$-1\r\n+OK\r\n:1\r\n");
  assert.equal(talk.member.state.findCache("3" as CacheName)?.table.slots.count, 1);
  assert.equal(talk.say("FLUSHDB\r\nSELECT 0\r\nDBSIZE\r\n"), "+OK\r\n+OK\r\n:1\r\n");
});

test("[RSP7] a key over its limit is refused, and the session goes on", () => {
  const talk = new Talk();
  assert.match(talk.say(request("SET", "k".repeat(70_000), "v")), /^-ERR key is longer/);
  assert.equal(talk.say("PING\r\n"), "+PONG\r\n");
});

fuzz(
  "RESP session",
  (bytes) => {
    const talk = new Talk();
    talk.member.cluster = { ...CLUSTER, role: "follower" };
    talk.session.receive(bytes, 1 as Millis);
    talk.member.turn();
    talk.hear();
  },
  {
    seeds: [
      "SET a 1 EX 5 NX GET\r\nGETEX a PERSIST\r\nMSET a 1 b 2\r\nINCRBYFLOAT a 0.1\r\n",
      "HELLO 3 AUTH default x SETNAME y\r\nCLIENT LIST TYPE normal\r\nCLIENT KILL ID 5 SKIPME no\r\n",
      "SCAN 0 MATCH a* COUNT 10 TYPE string\r\nSENTINEL sentinels sluice\r\nINFO all\r\nCOMMAND DOCS get\r\n",
      "SUBSCRIBE a b\r\nPSUBSCRIBE a*\r\nPING\r\nRESET\r\nEXPIRE a 5 XX LT\r\nWAIT 1 10\r\nCONFIG GET s*\r\n",
      request("SET", "a", "b") + request("GET", "a"),
    ].map(latin1Bytes),
    allowed: [],
    seconds: 1,
  },
);

test("[RSP342] every container of subcommands has a HELP that names them", () => {
  const talk = new Talk();
  for (const name of ["CLIENT", "CONFIG", "COMMAND", "OBJECT", "SENTINEL"]) {
    assert.match(talk.say(`${name} NOSUCH\r\n`), new RegExp(`^-ERR unknown subcommand 'NOSUCH'. Try ${name} HELP.`));
    const lines = talk.say(`${name} help\r\n`).split("\r\n");
    assert.equal(lines[0], `*${lines.length - 2}`);
    assert.equal(lines[1], `+${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
    assert.ok(lines.includes("+HELP") && lines.length > 5, lines.join());
  }
  assert.match(talk.say("CLIENT HELP\r\n"), /\+KILL\r\n/);
});

test("[RSP343] how a value came about says how Redis would hold it", () => {
  const talk = new Talk();
  for (const [commands, encoding] of [
    ["SET o 56", "int"],
    ["SET o 5\r\nAPPEND o 6", "raw"],
    ["INCR o", "int"],
    ["INCRBYFLOAT o 1", "embstr"],
    ["APPEND o x", "raw"],
    ["SET o x", "embstr"],
    ["DEL o\r\nAPPEND o 5", "int"],
  ] as const) {
    talk.say(`${commands}\r\n`);
    assert.equal(talk.say("OBJECT ENCODING o\r\n"), bulk(encoding), commands);
  }
});

/** MULTI, EXEC and WATCH: all of it or nothing, at one place in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchedKeys } from "@sluice/cache/resp/watched-keys";
import { ChangeFeed } from "@sluice/cache/state/change-feed";
import type { CacheName, EntryVersion } from "@sluice/cache/state/operation";
import { OneMember } from "./support/one-member.ts";
import { bulk, request, Talk } from "./support/resp-talk.ts";

const OK = "+OK\r\n";
const QUEUED = "+QUEUED\r\n";

test("[RSP105] what is queued is done at EXEC, each with its reply, and reads see the writes before them", () => {
  const talk = new Talk();
  talk.say("SET n 5\r\nSET text abc\r\n");
  assert.equal(talk.say("MULTI\r\nINCR n\r\nGET n\r\nINCR text\r\nMGET n none\r\n"), OK + QUEUED.repeat(4));
  assert.equal(new Talk(talk.member).say("GET n\r\n"), bulk("5"));
  const notInteger = "-ERR value is not an integer or out of range\r\n";
  assert.equal(talk.say("EXEC\r\n"), `*4\r\n:6\r\n${bulk("6")}${notInteger}*2\r\n${bulk("6")}$-1\r\n`);
});

test("[RSP105] a whole transaction in one piece is one record of the log", () => {
  const talk = new Talk();
  talk.send(
    "MULTI\r\nSET a 1\r\nPING\r\nEXISTS a b a\r\nTTL a\r\nMSET a 2 c 3\r\nSTRLEN a\r\nTYPE c\r\nDEL a c x\r\nEXEC\r\nGET a\r\n",
  );
  assert.equal(talk.member.writeCount, 1);
  talk.member.turn();
  const expected = `*8\r\n+OK\r\n+PONG\r\n:2\r\n:-1\r\n+OK\r\n:1\r\n+string\r\n:2\r\n`;
  assert.equal(talk.hear(), `${OK}${QUEUED.repeat(8)}${expected}$-1\r\n`);
});

test("[RSP105] an empty transaction, and steps out of place", () => {
  const talk = new Talk();
  assert.equal(talk.say("MULTI\r\nEXEC\r\n"), `${OK}*0\r\n`);
  assert.equal(talk.say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
  assert.equal(talk.say("DISCARD\r\n"), "-ERR DISCARD without MULTI\r\n");
  assert.equal(
    talk.say("MULTI\r\nMULTI\r\nSET a 1\r\nDISCARD\r\nGET a\r\n"),
    `${OK}-ERR MULTI calls can not be nested\r\n${QUEUED}${OK}$-1\r\n`,
  );
  assert.equal(talk.say("MULTI\r\nWATCH a\r\nEXEC\r\n"), `${OK}-ERR WATCH inside MULTI is not allowed\r\n*0\r\n`);
  assert.equal(talk.say("MULTI\r\nSET a 1\r\nRESET\r\nGET a\r\n"), `${OK}${QUEUED}+RESET\r\n$-1\r\n`);
});

for (const [what, text, error] of [
  ["an unknown command", "NOSUCH\r\n", /^-ERR unknown command 'NOSUCH'/],
  ["a wrong number of words", "GET\r\n", /^-ERR wrong number of arguments for 'get' command/],
  ["a command that cannot be a part", "KEYS *\r\n", /^-ERR Command not allowed inside a transaction/],
  ["an argument over its limit", request("SET", "a", "x".repeat(2_000)), /^-ERR an argument of 2000 bytes/],
] as const) {
  test(`[RSP107] ${what} leaves nothing of the transaction done`, () => {
    const talk = new Talk({ limits: { bulkBytes: 1_000 } });
    assert.equal(talk.say("MULTI\r\nSET a 1\r\n"), OK + QUEUED);
    assert.match(talk.say(text), error);
    assert.equal(talk.say("SET b 1\r\n"), QUEUED);
    assert.equal(talk.say("EXEC\r\n"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    assert.equal(talk.say("EXISTS a b\r\n"), ":0\r\n");
  });
}

test("[RSP107] a transaction over its limits is refused where it is, and nothing of it is done", () => {
  const talk = new Talk({ limits: { transactionCommands: 2, keysWritten: 3 } });
  assert.match(
    talk.say("MULTI\r\nSET a 1\r\nSET b 1\r\nSET c 1\r\nEXEC\r\n"),
    /QUEUED\r\n-ERR the transaction is larger than [^\r]*\r\n-EXECABORT/,
  );
  assert.match(
    talk.say("MULTI\r\nDEL a b\r\nDEL c d\r\nEXEC\r\n"),
    /-ERR a transaction of 4 keys is larger than the limit of 3/,
  );
  assert.equal(talk.say("DBSIZE\r\n"), ":0\r\n");
});

test("[RSP106] a key that was changed since WATCH lets EXEC do nothing", () => {
  const member = new OneMember();
  const [one, two] = [new Talk(member), new Talk(member)];
  one.say("SET a 1\r\nSET b 1 PX 1000000\r\n");
  for (const change of [
    "SET a 2",
    "DEL a",
    "SET new 1",
    "EXPIRE a 1000",
    "PERSIST b",
    "APPEND a x",
    "FLUSHALL",
    "SET a 1",
  ]) {
    assert.equal(one.say("WATCH a new b\r\nMULTI\r\nSET done 1\r\n"), OK + OK + QUEUED);
    assert.match(two.say(`${change}\r\n`), /^[+:]/);
    assert.equal(one.say("EXEC\r\nEXISTS done\r\n"), "*-1\r\n:0\r\n", change);
    two.say("FLUSHALL\r\nSET a 1\r\nSET b 1 PX 1000000\r\n");
  }
});

test("[RSP106] a change between EXEC and its place in the log counts, too", () => {
  const member = new OneMember();
  const [one, two] = [new Talk(member), new Talk(member)];
  assert.equal(one.say("WATCH a\r\nMULTI\r\nINCR a\r\n"), OK + OK + QUEUED);
  two.send("INCR a\r\n");
  one.send("EXEC\r\n");
  member.turn();
  assert.equal(two.hear() + one.hear(), ":1\r\n*-1\r\n");
});

test("[RSP106] what is not changed lets it be done; UNWATCH, EXEC and DISCARD forget", () => {
  const member = new OneMember();
  const [one, two] = [new Talk(member), new Talk(member)];
  one.say("SET a 1\r\n");
  one.say("WATCH a none\r\nGET a\r\n");
  two.say("SET other 1\r\nGET a\r\nEXPIRE none 10\r\n");
  assert.match(one.say("MULTI\r\nINCR a\r\nEXEC\r\n"), /\*1\r\n:2\r\n$/);
  for (const forget of ["UNWATCH\r\n", "MULTI\r\nDISCARD\r\n", "MULTI\r\nEXEC\r\n"]) {
    one.say(`WATCH a\r\n${forget}`);
    two.say("INCR a\r\n");
    assert.match(one.say("MULTI\r\nGET none\r\nEXEC\r\n"), /\*1\r\n\$-1\r\n$/, forget);
  }
});

test("[RSP106] an entry that runs out after WATCH counts as changed", () => {
  const talk = new Talk();
  talk.say("SET a 1 PX 100\r\nWATCH a\r\nMULTI\r\nSET b 1\r\n");
  talk.member.time = (talk.member.time + 200) as typeof talk.member.time;
  assert.equal(talk.say("EXEC\r\n"), "*-1\r\n");
});

test("[RSP105] SELECT within goes along with the transaction, and not without it", () => {
  const member = new OneMember();
  const [one, two] = [new Talk(member), new Talk(member)];
  assert.match(one.say("MULTI\r\nSELECT 2\r\nSET a 2\r\nEXEC\r\nGET a\r\n"), /\*2\r\n\+OK\r\n\+OK\r\n\$1\r\n2\r\n$/);
  one.say("SELECT 0\r\nWATCH a\r\nMULTI\r\nSELECT 2\r\n");
  two.say("SET a 0\r\n");
  assert.equal(one.say("EXEC\r\nGET a\r\n"), `*-1\r\n${bulk("0")}`);
});

test("[RSP105] a follower refuses the whole of it", () => {
  const talk = new Talk();
  talk.member.failure = "not-leader";
  assert.match(talk.say("MULTI\r\nSET a 1\r\nSET b 1\r\nEXEC\r\n"), /QUEUED\r\n-READONLY [^\r]*\r\n$/);
});

test("[RSP105] in protocol 3 an undone transaction is null", () => {
  const member = new OneMember();
  const one = new Talk(member);
  one.say("HELLO 3\r\nWATCH a\r\nMULTI\r\nGET a\r\n");
  new Talk(member).say("SET a 1\r\n");
  assert.equal(one.say("EXEC\r\n"), "_\r\n");
});

test("[RSP17] the values that one transaction reads have a limit together", () => {
  const talk = new Talk();
  talk.say(request("SET", "a", "x".repeat(16_000_000)));
  const many = `MULTI\r\n${"GET a\r\n".repeat(6)}SET b 1\r\nEXEC\r\n`;
  talk.say(many); // EXEC waits until what is queued was read
  talk.member.turn();
  const heard = talk.hear();
  assert.equal(heard.split("-ERR the values that this transaction reads are larger").length, 3);
  assert.match(heard.slice(-200), /\+OK\r\n$/);
});

test("[RSP340] WATCH of a key that is not there hears of one that came and went before EXEC, and of no other", () => {
  const talk = new Talk();
  const other = new Talk(talk.member);
  for (const [meanwhile, expected] of [
    ["SET w 1\r\nDEL w\r\n", "*-1\r\n"],
    ["INCR w\r\nFLUSHALL\r\n", "*-1\r\n"],
    ["SETEX w 1 x\r\nGETDEL w\r\n", "*-1\r\n"],
    ["SET ww 1\r\nSET v 1\r\nDEL ww v w\r\nSELECT 1\r\nSET w 1\r\nSELECT 0\r\nFLUSHALL\r\n", "*1\r\n+PONG\r\n"],
  ] as const) {
    talk.say("WATCH w\r\n");
    other.say(meanwhile);
    assert.equal(talk.say("MULTI\r\nPING\r\nEXEC\r\n"), `${OK}${QUEUED}${expected}`, meanwhile);
    assert.equal(talk.say("MULTI\r\nPING\r\nEXEC\r\n"), `${OK}${QUEUED}*1\r\n+PONG\r\n`, "watched no more");
  }
  talk.say("WATCH w\r\n");
  other.say("SET w 1\r\nDEL w\r\n");
  assert.equal(talk.say("UNWATCH\r\nMULTI\r\nPING\r\nEXEC\r\n"), `${OK}${OK}${QUEUED}*1\r\n+PONG\r\n`);
});

test("[RSP340] who waits for a key to be written is forgotten with its session, and told when the state is replaced", () => {
  const feed = new ChangeFeed(10);
  const watched = new WatchedKeys();
  const [cache, key] = ["0" as CacheName, Buffer.from("w")];
  const state = { onSet: feed.onSet.bind(feed) };
  watched.add([{ cache, key, version: 0, expiresAt: 0 }], state);
  feed.hold();
  feed.tell(cache, key, "set", 1 as EntryVersion);
  feed.release("drop");
  assert.ok(!watched.isTouched, "a batch that was undone");
  feed.tellLoss();
  assert.ok(watched.isTouched);
  watched.clear();
  assert.deepEqual([watched.isTouched, feed.isHeard], [false, false]);
});

test("[RSP341] EXEC with arguments ends the transaction, and does nothing of it", () => {
  const talk = new Talk();
  const aborted = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  assert.equal(talk.say("WATCH a\r\nMULTI\r\nSET a 1\r\nEXEC x\r\n"), OK + OK + QUEUED + aborted);
  assert.equal(talk.say("EXISTS a\r\n"), ":0\r\n");
  assert.equal(talk.say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
  assert.equal(talk.say("EXEC x\r\n"), aborted);
});

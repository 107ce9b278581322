/** What clients ask of a cluster and of the server around their keys: Sentinel, ROLE, INFO, CLIENT, SCAN. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import { CLUSTER, following, OneMember } from "./support/one-member.ts";
import { bulk, request, Talk } from "./support/resp-talk.ts";

test("[RSP20] every member tells where the leader is; nobody knows without one", () => {
  const talk = new Talk();
  const ask = "SENTINEL get-master-addr-by-name sluice\r\n";
  for (const self of ["n1", "n2"]) {
    talk.member.cluster = { ...following("n2"), self: self as MemberId };
    assert.equal(talk.say(ask), `*2\r\n${bulk("10.0.0.2")}${bulk("6402")}`);
  }
  assert.equal(talk.say("SENTINEL get-master-addr-by-name other\r\n"), "*-1\r\n");
  talk.member.cluster = { ...CLUSTER, role: "candidate", leader: undefined, leaderStanding: "lost" };
  assert.equal(talk.say(ask), "*-1\r\n");
});

test("[RSP20] masters, replicas, sentinels and the quorum", () => {
  const talk = new Talk();
  const sentinels = talk.say("SENTINEL sentinels sluice\r\n");
  assert.match(sentinels, /^\*2\r\n\*10\r\n/);
  assert.match(sentinels, /n2.*6402.*flags\r\n\$8\r\nsentinel\r\n.*n3.*disconnected/s);
  assert.match(talk.say("SENTINEL slaves sluice\r\n"), /^\*2\r\n.*10\.0\.0\.2:6402.*\$5\r\nslave\r\n/s);
  assert.match(talk.say("SENTINEL masters\r\n"), /^\*1\r\n.*10\.0\.0\.1.*quorum\r\n\$1\r\n2\r\n/s);
  assert.match(talk.say("SENTINEL ckquorum sluice\r\n"), /^\+OK 2 usable/);
  assert.match(talk.say("SENTINEL myid\r\n"), /^\$40\r\n[0-9a-f]{40}\r\n$/);
  assert.equal(talk.say("SENTINEL master none\r\n"), "-ERR No such master with that name\r\n");
  const lone = CLUSTER.members.map((row) => ({ ...row, isReachable: row.id === "n1" }));
  talk.member.cluster = { ...CLUSTER, members: lone };
  assert.match(talk.say("SENTINEL ckquorum sluice\r\n"), /^-NOQUORUM 1 usable/);
});

test("[RSP21] a subscriber hears of a new leader, in both protocols", () => {
  const talk = new Talk();
  assert.equal(talk.say("SUBSCRIBE +switch-master\r\n"), `*3\r\n${bulk("subscribe")}${bulk("+switch-master")}:1\r\n`);
  talk.session.publish("+switch-master", "sluice 10.0.0.1 6401 10.0.0.2 6402");
  const message = bulk("sluice 10.0.0.1 6401 10.0.0.2 6402");
  assert.equal(talk.hear(), `*3\r\n${bulk("message")}${bulk("+switch-master")}${message}`);
  assert.match(talk.say("GET a\r\n"), /^-ERR Can't execute 'get': only/);
  talk.say("RESET\r\nHELLO 3\r\nPSUBSCRIBE +switch*\r\n");
  talk.session.publish("+switch-master", "x");
  assert.equal(talk.hear(), `>4\r\n${bulk("pmessage")}${bulk("+switch*")}${bulk("+switch-master")}${bulk("x")}`);
  talk.session.publish("+other", "x");
  assert.equal(talk.hear(), "");
  assert.equal(talk.say("GET a\r\n"), "_\r\n");
});

test("[RSP22] WAIT follows the writes before it, and holds what comes behind", () => {
  const talk = new Talk();
  talk.send("SET a 1\r\nWAIT 2 100\r\nPING\r\n");
  assert.equal(talk.member.waits.length, 0);
  talk.member.turn();
  assert.equal(talk.hear(), "+OK\r\n");
  const [wait] = talk.member.waits;
  assert.equal(wait?.[2], 2);
  wait?.[0].replicated(wait[1], 1);
  assert.equal(talk.hear(), ":1\r\n+PONG\r\n");
  assert.equal(talk.say("WAIT 1 -1\r\n"), "-ERR timeout is negative\r\n");
});

test("[RSP23] connections have names and numbers, and can be listed and ended", () => {
  const member = new OneMember();
  const [one, two] = [new Talk(member), new Talk(member)];
  assert.equal(two.say("CLIENT ID\r\n"), ":2\r\n");
  assert.equal(two.say("CLIENT SETINFO LIB-NAME ioredis\r\nCLIENT SETINFO LIB-VER 6.0.0\r\n"), "+OK\r\n+OK\r\n");
  two.say("CLIENT SETNAME two\r\nSELECT 4\r\n");
  const list = one.say("CLIENT LIST\r\n");
  assert.match(list, /id=1 addr=127\.0\.0\.1:5001 .*cmd=client\|list/);
  assert.match(list, /id=2 .* name=two .* db=4 .* lib-name=ioredis lib-ver=6\.0\.0\n/);
  assert.match(one.say("CLIENT LIST ID 2\r\n"), /^\$\d+\r\nid=2 [^\n]*\n\r\n$/);
  assert.equal(one.say("CLIENT KILL TYPE pubsub\r\n"), ":0\r\n");
  assert.equal(one.say("CLIENT KILL ADDR 127.0.0.1:5002\r\n"), ":1\r\n");
  assert.equal(two.session.ended, "killed");
  assert.equal(one.say("CLIENT KILL ID 1 SKIPME no\r\n"), ":1\r\n");
  assert.equal(one.session.ended, "quit");
});

test("[RSP24] SCAN tells every key that stays, while others come and go", () => {
  const talk = new Talk();
  for (let i = 0; i < 500; i++) talk.say(request("SET", `stay${i}`, "1") + request("SET", `go${i}`, "1"));
  const seen = new Set<string>();
  let cursor = "0";
  let round = 0;
  do {
    const reply = talk.say(`SCAN ${cursor} COUNT 7\r\n`);
    cursor = /^\*2\r\n\$\d+\r\n(\d+)\r\n/.exec(reply)?.[1] ?? "none";
    for (const [key] of reply.matchAll(/(stay|go|new)\d+/g)) seen.add(key);
    talk.say(
      request("DEL", `go${round}`) +
        request("SET", `new${round}`, "x".repeat(round)) +
        request("SET", `stay${round}`, "longer than before"),
    );
    round++;
  } while (cursor !== "0");
  for (let i = 0; i < 500; i++) assert.ok(seen.has(`stay${i}`), `stay${i}`);
  assert.match(talk.say("SCAN 0 MATCH stay12 COUNT 5000\r\n"), new RegExp(`^\\*2\\r\\n\\$1\\r\\n0\\r\\n\\*1\\r\\n`));
  assert.equal(talk.say("SCAN 99999999\r\n"), `*2\r\n${bulk("0")}*0\r\n`);
});

test("[RSP9] protocol 3 has maps, nulls and verbatim text", () => {
  const talk = new Talk();
  assert.match(talk.say("HELLO\r\n"), /^\*14\r\n/);
  assert.match(talk.say("HELLO 3\r\n"), /^%7\r\n.*proto\r\n:3\r\n.*role\r\n\$6\r\nmaster\r\n/s);
  assert.equal(talk.say("GET a\r\nMGET a\r\n"), "_\r\n*1\r\n_\r\n");
  assert.equal(talk.say("CONFIG GET appendonly\r\n"), `%1\r\n${bulk("appendonly")}${bulk("yes")}`);
  assert.match(talk.say("INFO server\r\n"), /^=\d+\r\ntxt:# Server\r\nredis_version:/);
  assert.equal(talk.say("HELLO 4\r\n"), "-NOPROTO unsupported protocol version\r\n");
});

test("[RSP26] INFO has what clients look for, and what the owner adds", () => {
  const talk = new Talk();
  talk.member.cluster = { ...CLUSTER, infoLines: (section) => (section === "Persistence" ? [["log_bytes", 17]] : []) };
  talk.say("SET a 1 PX 5000\r\nSET b 1\r\n");
  const all = talk.say("INFO\r\n");
  for (const line of [
    "loading:0",
    "role:master",
    "log_bytes:17",
    "db0:keys=2,expires=1,avg_ttl=0",
    "connected_slaves:1",
  ]) {
    assert.ok(all.includes(`${line}\r\n`), line);
  }
  assert.ok(!talk.say("INFO memory\r\n").includes("# Server"));
  talk.member.cluster = following("n2");
  assert.match(
    talk.say("INFO replication\r\n"),
    /role:slave\r\nmaster_host:10\.0\.0\.2\r\nmaster_port:6402\r\nmaster_link_status:up/,
  );
});

test("[RSP26] ROLE on leader and follower, COMMAND and TIME", () => {
  const talk = new Talk();
  assert.equal(
    talk.say("ROLE\r\n"),
    `*3\r\n${bulk("master")}:9\r\n*1\r\n*3\r\n${bulk("10.0.0.2")}${bulk("6402")}${bulk("8")}`,
  );
  talk.member.cluster = following("n2");
  assert.equal(talk.say("ROLE\r\n"), `*5\r\n${bulk("slave")}${bulk("10.0.0.2")}:6402\r\n${bulk("connected")}:9\r\n`);
  const count = Number(/^:(\d+)/.exec(talk.say("COMMAND COUNT\r\n"))?.[1]);
  assert.ok(count > 50);
  assert.match(talk.say("COMMAND\r\n"), new RegExp(`^\\*${count}\\r\\n\\*10\\r\\n`));
  assert.match(talk.say("COMMAND INFO get\r\n"), /^\*1\r\n\*10\r\n\$3\r\nget\r\n:2\r\n/);
  assert.match(talk.say("COMMAND DOCS get\r\n"), /^\*2\r\n\$3\r\nget\r\n\*6\r\n\$7\r\nsummary\r\n/);
  talk.member.time = 1_234_567 as Millis;
  assert.equal(talk.say("TIME\r\n"), `*2\r\n${bulk("1234")}${bulk("567000")}`);
});

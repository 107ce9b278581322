/** Keys as NATS subjects, JetStream's reply subjects, and changes as Redis publishes them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeToken, encodeToken, natsNames, readDelivery, readWatchedName } from "@sluice/drivers/nats/nats-names";
import { decodeLeaseRecord, encodeLeaseRecord } from "@sluice/drivers/nats/nats-lease-table";
import { readRedisAddress } from "@sluice/drivers/redis/redis-address";
import { type Change, decodeChange, readEpoch } from "@sluice/drivers/redis/redis-names";
import type { Millis } from "@sluice/base/brand";
import { fuzz } from "@sluice/testkit/fuzz";
import { golden, goldenSeeds } from "@sluice/testkit/golden";

const encoder = new TextEncoder();

const TOKENS = [
  { says: "plain characters stand for themselves", key: "aZ09-_/b", token: "aZ09-_/b" },
  { says: "what means something in a subject is escaped", key: "a.b*c>d e", token: "a=2eb=2ac=3ed=20e" },
  { says: "the escape itself is escaped", key: "=2e", token: "=3d2e" },
  { says: "U+0000 is a character like others", key: "\u0000", token: "=00" },
  { says: "each byte of UTF-8 is escaped by itself", key: "ä日", token: "=c3=a4=e6=97=a5" },
  { says: "a mark of byte order is kept", key: "\ufeffa", token: "=ef=bb=bfa" },
] as const;

for (const { says, key, token } of TOKENS) {
  test(`[RMT1] NATS token: ${says}`, () => {
    assert.equal(encodeToken(key), token);
    assert.equal(decodeToken(token), key);
  });
}

test("[RMT1] every well-formed key comes back from its token, which is one token", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), (key) => {
      if (!key.isWellFormed()) return;
      const token = encodeToken(key);
      assert.match(token, /^[-/_=A-Za-z0-9]+$/);
      assert.equal(decodeToken(token), key);
    }),
  );
});

test("[RMT1] a token that no key gives is no key", () => {
  for (const token of ["=", "=2", "=2E", "=61", "a b", "=ff", "=c3", "a.b"]) {
    assert.equal(decodeToken(token), undefined, token);
  }
});

fuzz("nats token", (bytes) => decodeToken(new TextDecoder("latin1").decode(bytes)), {
  seeds: TOKENS.map(({ token }) => encoder.encode(token)),
  allowed: [],
});

test("[RMT1] watched subjects are read as the names that they were made of", () => {
  const names = natsNames("store", 17);
  assert.deepEqual(readWatchedName(names.key("a.b")), { kind: "key", key: "a.b" });
  assert.deepEqual(readWatchedName(names.lease(12)), { kind: "lease", slot: 12 });
  assert.equal(names.record("a log", 3), "$KV.store-17.g.a=20log.3");
  for (const subject of ["$KV.store-17.s.x.a", "$KV.store-17.s.k.=", "$KV.store-17.s.l.x", "$KV.store-17.s.l", ""]) {
    assert.equal(readWatchedName(subject), undefined, subject);
  }
});

describe("replies of JetStream", () => {
  const REPLIES = [
    {
      says: "the short form",
      reply: "$JS.ACK.KV_a.consumer.1.42.7.1700000000000000000.3",
      delivery: { streamSequence: 42, consumerSequence: 7, pending: 3 },
    },
    {
      says: "the long form, with domain and account",
      reply: "$JS.ACK._.accounthash.KV_a.consumer.1.42.7.1700000000000000000.0",
      delivery: { streamSequence: 42, consumerSequence: 7, pending: 0 },
    },
    {
      says: "the long form with a token behind",
      reply: "$JS.ACK.hub.accounthash.KV_a.consumer.1.42.7.1700000000000000000.9.token",
      delivery: { streamSequence: 42, consumerSequence: 7, pending: 9 },
    },
    { says: "none", reply: undefined, delivery: undefined },
    { says: "another subject", reply: "_INBOX.x.y.1.2.3.4.5.6", delivery: undefined },
    { says: "one that is cut off", reply: "$JS.ACK.KV_a.consumer.1.42.7", delivery: undefined },
    { says: "words for numbers", reply: "$JS.ACK.KV_a.consumer.1.x.7.1.3", delivery: undefined },
    { says: "a number too large", reply: "$JS.ACK.KV_a.consumer.1.99999999999999999.7.1.3", delivery: undefined },
  ] as const;
  for (const { says, reply, delivery } of REPLIES) {
    test(`[RMT2] delivery: ${says}`, () => assert.deepEqual(readDelivery(reply), delivery));
  }
});

const CHANGES: readonly { rule: string; says: string; bytes: string; value: Change | undefined }[] = [
  {
    rule: "RMT3",
    says: "a write",
    bytes: "50 20 37 2e 39 20 33 0a 6b 65 79 01 02",
    value: { type: "put", revision: { generation: 7, number: 9 }, key: "key", value: Uint8Array.of(1, 2) },
  },
  {
    rule: "RMT3",
    says: "a write of nothing to a key with a newline",
    bytes: "50 20 30 2e 31 20 31 0a 0a",
    value: { type: "put", revision: { generation: 0, number: 1 }, key: "\n", value: new Uint8Array(0) },
  },
  {
    rule: "RMT3",
    says: "a removal",
    bytes: "44 20 37 2e 31 30 20 33 0a 6b 65 79",
    value: { type: "deleted", revision: { generation: 7, number: 10 }, key: "key" },
  },
  {
    rule: "RMT3",
    says: "a token granted",
    bytes: "54 20 37 2e 31 31 20 30 0a",
    value: { type: "token", revision: { generation: 7, number: 11 } },
  },
  { rule: "RMT3", says: "no line end", bytes: "50 20 37 2e 39 20 33", value: undefined },
  { rule: "RMT3", says: "a key longer than the message", bytes: "50 20 37 2e 39 20 34 0a 6b 65 79", value: undefined },
  { rule: "RMT3", says: "another letter", bytes: "51 20 37 2e 39 20 33 0a 6b 65 79", value: undefined },
  { rule: "RMT3", says: "a key that is no UTF-8", bytes: "50 20 37 2e 39 20 31 0a ff", value: undefined },
  { rule: "RMT3", says: "nothing", bytes: "", value: undefined },
];
golden("change on Redis", CHANGES, { decode: decodeChange });
fuzz("redis change", decodeChange, { seeds: goldenSeeds(CHANGES), allowed: [] });

test("epochs are two whole numbers", () => {
  assert.deepEqual(readEpoch("1795276442059.42"), { generation: 1_795_276_442_059, number: 42 });
  for (const text of ["", ".", "1", "1.", "1.x", "-1.2", "1.2.3", " 1.2", "9999999999999999.1"]) {
    assert.equal(readEpoch(text), undefined, text);
  }
});

test("a lease's record names its token, or is its own", () => {
  const [ttl, token] = [3_000 as Millis, 77];
  assert.deepEqual(decodeLeaseRecord(4, 90, encodeLeaseRecord(ttl, token)), { slot: 4, token, ttl, sequence: 90 });
  assert.deepEqual(decodeLeaseRecord(4, 90, encodeLeaseRecord(ttl)), { slot: 4, token: 90, ttl, sequence: 90 });
  for (const text of ["", "null", "{}", '{"ttl":0}', '{"ttl":"1"}', '{"ttl":1,"token":"x"}', '{"ttl":1,"token":0.5}']) {
    assert.equal(decodeLeaseRecord(4, 90, encoder.encode(text)), undefined, text);
  }
});

fuzz("nats lease record", (bytes) => decodeLeaseRecord(1, 1, bytes), {
  seeds: [encodeLeaseRecord(3_000 as Millis, 77), encodeLeaseRecord(3_000 as Millis)],
  allowed: [],
});

test("[RMT49] Sentinels are read from an address of their own, other addresses stay as they are", () => {
  assert.deepEqual(readRedisAddress("redis+sentinel://u:p%40ss@127.0.0.1:1,[::1]:2,host/the%20primary"), {
    kind: "sentinels",
    options: {
      sentinels: [
        { host: "127.0.0.1", port: 1 },
        { host: "::1", port: 2 },
        { host: "host", port: 26_379 },
      ],
      name: "the primary",
      username: "u",
      password: "p@ss",
    },
  });
  assert.deepEqual(readRedisAddress("redis+sentinel://:secret@host:1/primary"), {
    kind: "sentinels",
    options: { sentinels: [{ host: "host", port: 1 }], name: "primary", password: "secret" },
  });
  for (const url of ["redis://127.0.0.1:6379", "rediss://u:p@host/0"]) {
    assert.deepEqual(readRedisAddress(url), { kind: "direct", url });
  }
});

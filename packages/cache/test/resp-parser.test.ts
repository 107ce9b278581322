/** Requests out of bytes: any split, inline commands, limits, and whatever else arrives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesGlob } from "@sluice/cache/resp/glob";
import { RespProtocolError } from "@sluice/cache/resp/errors";
import { splitInline } from "@sluice/cache/resp/inline";
import { DEFAULT_RESP_LIMITS } from "@sluice/cache/resp/limits";
import { RespParser } from "@sluice/cache/resp/resp-parser";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import { fuzz } from "@sluice/testkit/fuzz";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { request } from "./support/resp-talk.ts";

function parseAll(parser: RespParser, pieces: Iterable<Uint8Array>): string[][] {
  const requests: string[][] = [];
  for (const piece of pieces) {
    parser.offer(piece);
    for (let one = parser.next(); one !== undefined; one = parser.next()) {
      requests.push(Array.from({ length: one.count }, (_, i) => (one as NonNullable<typeof one>).text(i)));
      parser.release();
    }
  }
  return requests;
}

const MIXED = `${request("SET", "a", "x".repeat(300))}PING\r\n${request("GET", "")}\r\n*0\r\n*-1\r\n${request("*$\r\n", "\x00\xff")}echo "a b" '*1'\n${request("DEL", "a")}`;
const MIXED_REQUESTS = [
  ["SET", "a", "x".repeat(300)],
  ["PING"],
  ["GET", ""],
  ["*$\r\n", "\x00\xff"],
  ["echo", "a b", "*1"],
  ["DEL", "a"],
];

test("[RSP3] any split of the bytes gives the same requests", () => {
  const bytes = latin1Bytes(MIXED);
  assert.deepEqual(parseAll(new RespParser(DEFAULT_RESP_LIMITS), [bytes.slice()]), MIXED_REQUESTS);
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  assert.deepEqual(parseAll(new RespParser(DEFAULT_RESP_LIMITS), single), MIXED_REQUESTS);
  const random = seededRandom(5);
  for (let i = 0; i < 200; i++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + randomBelow(random, 60));
      pieces.push(bytes.slice(at, end));
      at = end;
    }
    assert.deepEqual(parseAll(new RespParser(DEFAULT_RESP_LIMITS), pieces), MIXED_REQUESTS);
  }
});

test("[RSP3] a request that is held stays whole while more arrives", () => {
  const parser = new RespParser(DEFAULT_RESP_LIMITS);
  for (const first of [request("GET", "key"), "GET key\r\n"]) {
    parser.offer(latin1Bytes(first + request("PI").slice(0, 7)));
    assert.equal(parser.next()?.text(1), "key");
    parser.offer(latin1Bytes(request("PI").slice(7)));
    assert.equal(parser.next()?.text(1), "key");
    parser.release();
    assert.equal(parser.next()?.text(0), "PI");
    parser.release();
  }
  assert.equal(parser.bufferedBytes, 0);
});

const INLINE_ROWS: readonly (readonly [string, readonly string[] | undefined])[] = [
  ["  set  a\tb ", ["set", "a", "b"]],
  ["", []],
  ["\"a\\x41\\n\\\"\" 'it\\'s'", ['aA\n"', "it's"]],
  ['a"b"', ["ab"]],
  ['"a"b', undefined],
  ['"a', undefined],
  ["'a", undefined],
];

for (const [line, words] of INLINE_ROWS) {
  test(`[RSP6] inline ${JSON.stringify(line)}`, () => {
    assert.deepEqual(splitInline(line)?.map(latin1), words);
  });
}

const REFUSED: readonly (readonly [string, string, boolean])[] = [
  ["*x\r\n", "invalid multibulk length", true],
  ["*+1\r\n", "invalid multibulk length", true],
  ["*01\r\n", "invalid multibulk length", true],
  [`*${DEFAULT_RESP_LIMITS.argumentCount + 1}\r\n`, "invalid multibulk length", true],
  ["*1\r\n+OK\r\n", "expected '$', got '+'", true],
  ["*1\r\n$-1\r\n", "invalid bulk length", true],
  [`*1\r\n$${DEFAULT_RESP_LIMITS.bulkBytes + 1}\r\n`, "invalid bulk length", true],
  [`*${"1".repeat(70_000)}`, "too big mbulk count string", true],
  ["x".repeat(70_000), "too big inline request", true],
  ["*11\r\n", "unauthenticated multibulk length", false],
  ["*1\r\n$16385\r\n", "unauthenticated bulk length", false],
];

for (const [text, problem, isTrusted] of REFUSED) {
  test(`[RSP7] ${JSON.stringify(text.slice(0, 30))}: ${problem}`, () => {
    const parser = new RespParser(DEFAULT_RESP_LIMITS);
    parser.isTrusted = isTrusted;
    assert.throws(
      () => parseAll(parser, [latin1Bytes(text)]),
      (error) => error instanceof RespProtocolError && error.context.problem === problem,
    );
  });
}

test("[RSP7] a request that grows over its limit is refused before its bytes are there", () => {
  const parser = new RespParser({ ...DEFAULT_RESP_LIMITS, requestBytes: 1_000 });
  const text = `*3\r\n$400\r\n${"a".repeat(400)}\r\n$400\r\n${"b".repeat(400)}\r\n$400\r\n`;
  assert.throws(() => parseAll(parser, [latin1Bytes(text)]), RespProtocolError);
});

const GLOB_ROWS: readonly (readonly [string, string, boolean])[] = [
  ["*", "", true],
  ["a*c", "abbc", true],
  ["a*c", "abbcd", false],
  ["a?c", "abc", true],
  ["?", "", false],
  ["[a-c]x", "bx", true],
  ["[c-a]x", "bx", true],
  ["[^a]x", "ax", false],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["[\\]]", "]", true],
  ["[ab", "b", true],
  ["**a**", "bab", true],
  ["a\\", "a\\", true],
];

for (const [pattern, text, isMatch] of GLOB_ROWS) {
  test(`[RSP25] ${pattern} ${isMatch ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
    assert.equal(matchesGlob(latin1Bytes(pattern), latin1Bytes(text)), isMatch);
  });
}

test("[RSP25] many stars take no longer than both lengths multiplied", () => {
  const started = performance.now();
  assert.equal(matchesGlob(latin1Bytes(`${"a*".repeat(2_000)}b`), latin1Bytes("a".repeat(4_000))), false);
  assert.ok(performance.now() - started < 1_000);
});

fuzz(
  "RESP request",
  (bytes) => parseAll(new RespParser(DEFAULT_RESP_LIMITS), [bytes.subarray(0, 9), bytes.subarray(9)]),
  {
    seeds: [latin1Bytes(MIXED), ...REFUSED.map(([text]) => latin1Bytes(text.slice(0, 100)))],
    allowed: [RespProtocolError],
  },
);

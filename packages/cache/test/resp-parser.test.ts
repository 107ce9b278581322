/** Requests out of bytes: any split, inline commands, limits, and whatever else arrives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Glob } from "@sluice/cache/resp/glob";
import { OtherProtocolError, RespProtocolError } from "@sluice/cache/resp/errors";
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
  [`*${2 ** 31}\r\n`, "invalid multibulk length", true],
  ["*1\r\n+OK\r\n", "expected '$', got '+'", true],
  ["*1\r\n$-1\r\n", "invalid bulk length", true],
  [`*1\r\n$${DEFAULT_RESP_LIMITS.skippedBytes + 1}\r\n`, "invalid bulk length", true],
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

const SMALL = { ...DEFAULT_RESP_LIMITS, bulkBytes: 500, requestBytes: 1_000, argumentCount: 4, skippedBytes: 5_000 };
const OVER_LIMITS: readonly (readonly [string, string, RegExp])[] = [
  [
    "an argument",
    request("SET", "a", "x".repeat(501)),
    /^ERR an argument of 501 bytes is larger than the limit of 500:/,
  ],
  ["the first argument", request("x".repeat(501), "a"), /^ERR an argument of 501 bytes/],
  [
    "a request",
    request("a", "b".repeat(400), "c".repeat(400), "d".repeat(400)),
    /^ERR the request is larger than the limit of 1000/,
  ],
  ["a list", request("DEL", "a", "b", "c", "d"), /^ERR 5 arguments are more than the limit of 4:/],
  ["a list with one", request("DEL", "a", "b".repeat(600), "c", "d"), /^ERR 5 arguments are more/],
];

for (const [what, text, refusal] of OVER_LIMITS) {
  test(`[RSP7] ${what} over its limit is thrown away in any split, the limit is told, and the next request stands`, () => {
    const bytes = latin1Bytes(`${request("PING")}${text}${request("GET", "a")}`);
    for (const size of [1, 2, 7, 100, bytes.length]) {
      const parser = new RespParser(SMALL);
      const heard: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        parser.offer(bytes.slice(at, at + size));
        for (let one = parser.next(); one !== undefined; one = parser.next()) {
          heard.push(one.refusal ?? Array.from({ length: one.count }, (_, i) => one?.text(i)).join(" "));
          parser.release();
        }
        assert.ok(parser.bufferedBytes <= SMALL.requestBytes + size);
      }
      assert.deepEqual([heard[0], heard[2], heard.length], ["PING", "GET a", 3]);
      assert.match(heard[1] ?? "", refusal);
      assert.equal(parser.consumedBytes, bytes.length);
    }
  });
}

test("[RSP7] nothing of a size that was only declared is made, nor kept once it is refused", () => {
  const parser = new RespParser(DEFAULT_RESP_LIMITS);
  parser.offer(latin1Bytes("*2\r\n$3\r\nGET\r\n$100000000\r\n"));
  for (let i = 0; i < 100; i++) {
    assert.equal(parser.next(), undefined);
    assert.equal(parser.bufferedBytes, 0);
    parser.offer(new Uint8Array(100_000));
  }
});

test("[RSP7] what is thrown away of one request has a limit of its own", () => {
  const parser = new RespParser(SMALL);
  assert.throws(
    () => parseAll(parser, [latin1Bytes(`*20\r\n${`$900\r\n${"x".repeat(900)}\r\n`.repeat(20)}`)]),
    (error) => error instanceof RespProtocolError && error.context.problem === "request is too large",
  );
});

test("[RSP103] a request that is not whole can be given up, and the next one stands", () => {
  const whole = latin1Bytes(request("SET", "a", "x".repeat(300)));
  for (let cut = 1; cut < whole.length; cut++) {
    const parser = new RespParser(DEFAULT_RESP_LIMITS);
    parser.offer(whole.slice(0, cut));
    assert.equal(parser.next(), undefined);
    parser.abandon("TRYAGAIN");
    parser.offer(whole.slice(cut));
    const one = parser.next();
    // Before its count was read there was no request yet.
    assert.equal(one?.refusal, cut < 4 ? undefined : "TRYAGAIN", `cut at ${cut}`);
    parser.release();
    parser.offer(latin1Bytes("PING\r\n"));
    assert.equal(parser.next()?.text(0), "PING");
  }
});

const HTTP_LINES = [
  "POST / HTTP/1.1",
  "post / http/1.1",
  "POST",
  "GET /x HTTP/1.1",
  "GET /SET%20a%20b HTTP/1.0 ",
  "SET /x HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "PUT /x",
  "CONNECT example.org:443",
  "PRI * HTTP/2.0",
  "\0\0 POST / HTTP/1.1",
  '\xff\xfe"POST" / HTTP/1.1',
  'GET /"x HTTP/1.1',
  "Host: 127.0.0.1:6401",
  "host:x",
  "  HOST : x".replace(" :", ":"),
  "Content-Type: text/plain",
  "X-Forwarded-For: 1.2.3.4",
];

for (const line of HTTP_LINES) {
  test(`[RSP100] ${JSON.stringify(line)} is HTTP, split at every byte`, () => {
    const bytes = latin1Bytes(`${line}\r\nSET a b\r\n${request("SET", "a", "b")}`);
    for (const pieces of [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
      const requests: string[] = [];
      const parser = new RespParser(DEFAULT_RESP_LIMITS);
      assert.throws(
        () => {
          for (const piece of pieces) requests.push(...parseAll(parser, [piece]).map(String));
        },
        (error) => error instanceof OtherProtocolError && error.context.protocol === "HTTP",
      );
      assert.deepEqual(requests, []);
    }
  });
}

test("[RSP100] TLS is known by its first byte, whatever lines are hidden in it", () => {
  const hello = latin1Bytes("\x16\x03\x01\x02\x00\x01\r\nSET a b\r\n");
  assert.throws(
    () => parseAll(new RespParser(DEFAULT_RESP_LIMITS), [hello]),
    (error) => error instanceof OtherProtocolError && error.context.protocol === "TLS",
  );
});

for (const line of ["GET /x", "SET /x http", "GET http://a/b", "DEL post", "SET key HTTP", "ECHO Host:", "PING"]) {
  test(`[RSP100] ${line} is a command`, () => {
    assert.deepEqual(parseAll(new RespParser(DEFAULT_RESP_LIMITS), [latin1Bytes(`${line}\r\n`)]), [line.split(" ")]);
  });
}

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
    assert.equal(new Glob(latin1Bytes(pattern)).matches(latin1Bytes(text)), isMatch);
  });
}

test("[RSP25] a pattern of any length matches as trying all ways one by one does", () => {
  const random = seededRandom(25);
  const letters = ["a", "b", "*", "?", "[ab]", "[^a]", "\\*"];
  for (let i = 0; i < 3_000; i++) {
    const long = "ab".repeat(randomBelow(random, 40));
    const parts = Array.from(
      { length: randomBelow(random, 8) },
      () => letters[randomBelow(random, letters.length)] ?? "",
    );
    const pattern = `${randomBelow(random, 2) === 0 ? long : ""}${parts.join("")}`;
    const text = `${long}${Array.from({ length: randomBelow(random, 9) }, () => "ab*"[randomBelow(random, 3)]).join("")}`;
    assert.equal(
      new Glob(latin1Bytes(pattern)).matches(latin1Bytes(text)),
      asRegExp(pattern).test(text),
      `${pattern} on ${text}`,
    );
  }
});

/** Of the few forms that the test above makes. */
function asRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\\\*|\*|\?/g, (form) => (form === "*" ? "[^]*" : form === "?" ? "[^]" : "\\*"));
  return new RegExp(`^${source}$`);
}

test("[RSP25] the steps for a byte grow with the pattern's length alone, a thirty-second of it", () => {
  assert.equal(new Glob(latin1Bytes("*a*b*[c-z]*?")).stepsPerByte, 1);
  assert.equal(new Glob(latin1Bytes("*a".repeat(512))).stepsPerByte, 33);
  assert.equal(new Glob(latin1Bytes("*a".repeat(512))).matches(latin1Bytes("a".repeat(511))), false);
  assert.equal(new Glob(latin1Bytes("*a".repeat(512))).matches(latin1Bytes("a".repeat(512))), true);
});

fuzz(
  "RESP request",
  (bytes) => parseAll(new RespParser(DEFAULT_RESP_LIMITS), [bytes.subarray(0, 9), bytes.subarray(9)]),
  {
    seeds: [latin1Bytes(MIXED), ...REFUSED.map(([text]) => latin1Bytes(text.slice(0, 100)))],
    allowed: [RespProtocolError, OtherProtocolError],
  },
);

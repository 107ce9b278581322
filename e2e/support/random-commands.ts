/** Random requests of the commands that a cache and Redis share, right and wrong ones, over few keys. */
import { randomBelow } from "@sluice/testkit/random";

type Random = () => number;

const KEYS = ["a", "b", "k:1", "k:2", "Zz", "with space", "\x00\xff", ""];
const VALUES = [
  "", "0", "1", "-1", "10", "3.0", "abc", "9223372036854775807", "-9223372036854775808", "007", " 5", "1e3", "0.1", "\xfe\x00", "x".repeat(200),
]; // biome-ignore format: a table
const NUMBERS = [
  "0",
  "1",
  "-1",
  "5",
  "9223372036854775807",
  "-9223372036854775808",
  "abc",
  "1.5",
  "",
  "99999999999999999999",
];
const FLOATS = [
  "0.1", "-2.5", "1e2", "3", "abc", "", "1000.0001", "5e-3", "1.", ".5", "100000000000000000000", "inf", "-Infinity", "nan", "0x10", "0X1p-2", "0x", "1e", "1e5000", " 1",
]; // biome-ignore format: a table
/** Far away, so that no run meets them; or long ago. */
const SPANS = ["1000", "5000", "0", "-1", "abc", "9223372036854775807", "100000000000000000"];
const MILLI_SPANS = ["1000000", "5000000", "0", "-1", "abc", "9223372036854775807"];
const SECONDS = ["4000000000", "4100000000", "1", "0", "-5", "x"];
const MILLIS = ["4000000000000", "4100000000000", "1", "0", "-5", "x"];
/** Options of EXPIRE that compare no times, so that a millisecond between both clocks changes nothing. */
const CLOCKLESS = [[], [], ["NX"], ["xx"], ["NX", "GT"], ["GT", "LT"], ["NO"]];
const PATTERNS = ["*", "k:*", "?", "[a-b]", "[^a]*", "k:[12]", "\\a", "", "*:*", "[", "a\\"];

export function randomCommand(random: Random): string[] {
  const shape = pick(random, SHAPES);
  const words = shape(random);
  const noise = random();
  if (noise < 0.02) return words.slice(0, 1 + randomBelow(random, words.length));
  if (noise < 0.04 && words[0] !== "SCAN" && words[0] !== "GETEX")
    return [...words, pick(random, ["extra", "NX", "1"])];
  return random() < 0.3 ? [changeCase(words[0] ?? ""), ...words.slice(1)] : words;
}

const key = (random: Random): string => pick(random, KEYS);
const value = (random: Random): string => pick(random, VALUES);
const some = (random: Random, one: (random: Random) => string, most = 4): string[] =>
  Array.from({ length: 1 + randomBelow(random, most) }, () => one(random));

const SHAPES: readonly ((random: Random) => string[])[] = [
  (r) => ["SET", key(r), value(r)],
  (r) => ["SET", key(r), value(r), ...setOptions(r)],
  (r) => ["SET", key(r), value(r), ...setOptions(r), ...setOptions(r)],
  (r) => ["GET", key(r)],
  (r) => ["GETSET", key(r), value(r)],
  (r) => ["GETDEL", key(r)],
  (r) => ["GETEX", key(r), ...getexOptions(r)],
  (r) => ["SETNX", key(r), value(r)],
  (r) => ["SETEX", key(r), pick(r, SPANS), value(r)],
  (r) => ["PSETEX", key(r), pick(r, MILLI_SPANS), value(r)],
  (r) => ["MGET", ...some(r, key)],
  (r) => ["MSET", ...some(r, key).flatMap((one) => [one, value(r)])],
  (r) => ["MSETNX", ...some(r, key, 2).flatMap((one) => [one, value(r)])],
  (r) => ["APPEND", key(r), value(r).slice(0, 20)],
  (r) => ["STRLEN", key(r)],
  (r) => [pick(r, ["INCR", "DECR"]), key(r)],
  (r) => [pick(r, ["INCRBY", "DECRBY"]), key(r), pick(r, NUMBERS)],
  (r) => ["INCRBYFLOAT", key(r), pick(r, FLOATS)],
  (r) => [pick(r, ["DEL", "UNLINK", "EXISTS", "TOUCH"]), ...some(r, key)],
  (r) => ["TYPE", key(r)],
  (r) => ["EXPIRE", key(r), pick(r, SPANS), ...pick(r, CLOCKLESS)],
  (r) => ["PEXPIRE", key(r), pick(r, MILLI_SPANS), ...pick(r, CLOCKLESS)],
  (r) => ["EXPIREAT", key(r), pick(r, SECONDS), ...expireOptions(r)],
  (r) => ["PEXPIREAT", key(r), pick(r, MILLIS), ...expireOptions(r)],
  (r) => [pick(r, ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), key(r)],
  (r) => ["PERSIST", key(r)],
  (r) => ["KEYS", pick(r, PATTERNS)],
  (r) => ["SCAN", pick(r, ["0", "0", "", "x", "-", "18446744073709551616", "1 "]), ...scanOptions(r)],
  (r) => ["SELECT", pick(r, ["0", "0", "1", "15", "16", "-1", "x"])],
  (r) => ["ECHO", value(r)],
  (r) => ["PING", ...(r() < 0.5 ? [] : [value(r)])],
  (r) => [pick(r, ["FLUSHDB", "FLUSHALL"]), ...(r() < 0.7 ? [] : [pick(r, ["ASYNC", "sync", "x"])])].slice(0, r() < 0.3 ? 2 : 0),
  (r) => ["CLIENT", ...pick(r, [["GETNAME"], ["SETNAME", "me"], ["SETNAME", "a b"], ["NOSUCH"], ["KILL", "1.2.3.4:5"], ["NO-EVICT", "on"]])],
  (r) => ["WAIT", pick(r, ["0", "x"]), pick(r, ["0", "10", "-1", "y"])],
  (r) => [pick(r, ["NOSUCH", "no such", "GETT"]), ...some(r, value)],
]; // biome-ignore format: a table

function setOptions(random: Random): string[] {
  return pick(random, [
    ["NX"], ["xx"], ["GET"], ["KEEPTTL"], ["EX", pick(random, SPANS)], ["PX", pick(random, MILLI_SPANS)],
    ["EXAT", pick(random, SECONDS)], ["PXAT", pick(random, MILLIS)], ["bogus"], ["EX"], ["NX", "GET"],
  ]); // biome-ignore format: a table
}

function getexOptions(random: Random): string[] {
  return pick(random, [
    [], ["PERSIST"], ["EX", pick(random, SPANS)], ["PX", pick(random, MILLI_SPANS)], ["EXAT", pick(random, SECONDS)], ["PXAT", pick(random, MILLIS)], ["NX"], ["EX"],
  ]); // biome-ignore format: a table
}

function expireOptions(random: Random): string[] {
  return pick(random, [
    [],
    [],
    ["NX"],
    ["XX"],
    ["GT"],
    ["lt"],
    ["NX", "GT"],
    ["GT", "LT"],
    ["XX", "LT"],
    ["XX", "GT"],
    ["NO"],
  ]);
}

function scanOptions(random: Random): string[] {
  return pick(random, [
    ["COUNT", "1000"], ["MATCH", pick(random, PATTERNS), "COUNT", "1000"], ["COUNT", "0"], ["COUNT", "x"], ["COUNT"], ["COUNT", "1000", "TYPE", "string"], ["TYPE", "list", "COUNT", "1000"], ["NOT", "1"],
  ]); // biome-ignore format: a table
}

function changeCase(word: string): string {
  return [...word].map((char, i) => (i % 2 === 0 ? char.toLowerCase() : char.toUpperCase())).join("");
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[randomBelow(random, list.length)] as T;
}

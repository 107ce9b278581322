/** Requests at the edges of what Redis takes, group by group: each is asked of Redis and of us. */

type Requests = readonly (readonly string[])[];

const INFINITIES = ["inf", "-inf", "+Infinity", "nan", "infx"];
const HEXADECIMALS = ["0x10", "0x", "0x1p3", "0x.8", "-0X.8P1"];
const ODD_FLOATS = [" 1", "1 ", "", "1e5000", "1e-5000", "+1", "--1", "1e", "1d", "1_0", "x".repeat(300)];
const CURSORS = ["18446744073709551616", " 5", "5 ", "-", "+", "0x10", "1.5", "99999999999999999999999", "-18446744073709551616", "+0", "-0"];
const VALUES = ["12", "abc", "x".repeat(44), "x".repeat(45), "012", "9223372036854775807", "9223372036854775808", "", "-1", "9999", "10000"];
const BAD_TIMES = [["EX", "0"], ["EX", "-1"], ["EX", "x"], ["PXAT", "9223372036854775808"], ["EX", "9223372036854775807"], ["EX"], ["NX", "1"], ["EX", "1", "PX", "1"], ["PERSIST", "EX", "1"], ["persist"], ["ex", "1", "x"]];


export const CORNERS: Readonly<Record<string, Requests>> = {
  "names of parts are no commands": [
    ["config|get", "save"],
    ["client|id"],
    ["CONFIG|GET", "save"],
    ["object|encoding", "a"],
    ["config"],
    ["client"],
    ["object"],
    ["CONFIG", "NOSUCH"],
    ["CLIENT", "NOSUCH"],
    ["COMMAND", "NOSUCH"],
  ],
  "settings that are not there": [
    ["CONFIG", "GET"],
    ["CONFIG", "SET"],
    ["CONFIG", "SET", "nosuch", "1"],
    ["CONFIG", "SET", "nosuch"],
    ["CONFIG", "SET", "save", "", "nosuch", "1"],
    ["CONFIG", "SET", "save"],
  ],
  "fractions": [
    ["SET", "f", "10"],
    ...[...INFINITIES, ...HEXADECIMALS, ...ODD_FLOATS].map((by) => ["INCRBYFLOAT", "f", by]),
    ...["inf", "0x10", "1e4931", "9e4931", " 1", "-0", "-1e-20", "nan"].flatMap((value) => [
      ["SET", "g", value],
      ["INCRBYFLOAT", "g", "1"],
      ["INCRBYFLOAT", "g", "9e4931"],
      ["INCR", "g"],
    ]),
  ],
  "how keys are held": [
    ...VALUES.flatMap((value) => [
      ["SET", "o", value],
      ["OBJECT", "ENCODING", "o"],
      ["OBJECT", "refcount", "o"],
    ]),
    ["OBJECT", "IDLETIME", "o"],
    ["OBJECT", "FREQ", "o"],
    ...["ENCODING", "REFCOUNT", "IDLETIME", "FREQ"].map((word) => ["OBJECT", word, "none"]),
    ["OBJECT", "NOSUCH", "o"],
    ["OBJECT", "ENCODING"],
    ["OBJECT", "ENCODING", "a", "b"],
  ],
  "clients": [
    ["CLIENT", "KILL", "USER", "nobody"],
    ["CLIENT", "KILL", "USER", "default", "ID", "999999"],
    ...["0", "x"].map((id) => ["CLIENT", "KILL", "ID", id]),
    ["CLIENT", "KILL", "TYPE", "nosuch"],
    ["CLIENT", "KILL", "SKIPME", "maybe"],
    ["CLIENT", "KILL", "ADDR"],
    ["CLIENT", "KILL", "NOSUCH", "x"],
    ["CLIENT", "KILL", "1.2.3.4:1"],
    ["CLIENT", "KILL"],
    ["CLIENT", "LIST", "TYPE", "x"],
    ["CLIENT", "LIST", "ID", "x"],
    ["CLIENT", "SETNAME", ""],
    ["CLIENT", "GETNAME"],
  ],
  "commands that are not there": [
    ["COMMAND", "INFO", "nosuch"],
    ["COMMAND", "INFO", "nosuch", "nosuch"],
    ["COMMAND", "COUNT", "x"],
    ["COMMAND", "DOCS", "nosuch"],
  ],
  "cursors": [
    ...CURSORS.map((cursor) => ["SCAN", cursor]),
    ["SCAN", ""],
    ["SCAN", "-1"],
    ["SCAN", "18446744073709551615"],
    ["SCAN", "0", "COUNT", "9223372036854775808"],
    ["SCAN", "x", "COUNT", "x"],
    ["SCAN", "0", "TYPE", "nosuch"],
  ],
  "times that are none": [
    ["SET", "a", "1"],
    ...["none", "a"].flatMap((key) => BAD_TIMES.map((words) => ["GETEX", key, ...words])),
    ["SET", "none", "v", "EX", "0"],
    ["SETEX", "none", "0", "v"],
    ["EXPIRE", "none", "9223372036854775807"],
    ["EXPIRE", "a", "9223372036854775807"],
  ],
  "HELLO": [
    ...["x", "1", "4", "9223372036854775808", ""].map((version) => ["HELLO", version]),
    ["HELLO", "2", "NOSUCH"],
    ["HELLO", "2", "AUTH"],
    ["HELLO", "2", "AUTH", "a"],
    ["HELLO", "2", "AUTH", "default", "x"],
    ["HELLO", "3", "AUTH", "nobody", "x"],
    ["HELLO", "2", "SETNAME"],
    ["HELLO", "2", "SETNAME", "a b"],
    ["HELLO", "3", "SETNAME", "ok"],
    ["HELLO", "2", "SETNAME", "other", "NOSUCH"],
    ["CLIENT", "GETNAME"],
    ["HELLO", "2", "SETNAME", "a", "SETNAME", "b"],
    ["CLIENT", "GETNAME"],
    ...[["x"], ["default", "x"], ["nobody", "x"], ["a", "b", "c"], []].map((words) => ["AUTH", ...words]),
  ],
  "transactions": [
    ...[["MULTI"], ["SET", "m", "1"], ["GET", "m"], ["NOSUCH"], ["EXEC"], ["GET", "m"]],
    ...[["MULTI"], ["MULTI"], ["EXEC"], ["EXEC"], ["DISCARD"], ["MULTI"], ["DISCARD"]],
    ...[["MULTI"], ["WATCH", "m"], ["EXEC"], ["WATCH"]],
    ...[["WATCH", "m"], ["SET", "m", "9"], ["MULTI"], ["GET", "m"], ["EXEC"], ["UNWATCH"]],
    ...[["MULTI"], ["UNWATCH"], ["PING", "x"], ["SELECT", "1"], ["SELECT", "99"], ["SET", "m", "x", "NOSUCH"], ["EXEC"], ["GET", "m"]],
    ...[["SELECT", "0"], ["MULTI"], ["TTL", "none"], ["SET", "t", "1", "EX", "100"], ["PERSIST", "t"], ["TTL", "t"], ["FLUSHALL"], ["EXISTS", "t"], ["EXEC"]],
    ...[["MULTI"], ["GETEX", "none", "EX", "0"], ["SET", "e", "1"], ["GETEX", "e", "EX", "0"], ["GETSET", "e", "2"], ["SET", "e", "3", "GET"], ["MSETNX", "e", "4", "x", "1"], ["UNLINK", "e", "none"], ["EXEC"]],
    ...[["MULTI"], ["RESET"], ["EXEC"], ["MULTI"], ["QUITX"], ["EXEC"]],
  ],
}; // biome-ignore format: tables

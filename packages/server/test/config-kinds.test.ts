/** Tables of what each kind of configuration value reads, refuses and prints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind } from "@sluice/server/config/kind";
import { KEYS } from "@sluice/server/config/keys";
import { list, NETWORK, ORIGIN } from "@sluice/server/config/kinds-lists";
import { choice, FLAG, HTTP_URL, integer, PATH, PORT, wordOr } from "@sluice/server/config/kinds-plain";
import { duration, size } from "@sluice/server/config/kinds-units";

interface Table {
  readonly rule: string;
  readonly name: string;
  readonly kind: Kind<unknown>;
  readonly good: readonly (readonly [raw: unknown, value: unknown])[];
  readonly bad: readonly unknown[];
}

const HOUR = duration({ min: 0, max: 3_600_000 }) as Kind<unknown>;

const TABLES: readonly Table[] = [
  {
    rule: "CFG1",
    name: "duration",
    kind: HOUR,
    good: [
      ["250ms", 250],
      ["3s", 3_000],
      ["5m", 300_000],
      ["1h", 3_600_000],
      ["1.5s", 1_500],
      [40, 40],
      ["40", 40],
      [0, 0],
      ["0", 0],
      [" 2 s ", 2_000],
      ["2S", 2_000],
    ],
    bad: ["", "s", "-1s", "2h", "3 years", "1e3", "0.5ms", null, true, [], {}, "1s2", Number.NaN, -1, 3_600_001],
  },
  {
    rule: "CFG2",
    name: "size",
    kind: size({ min: 0, max: 2 ** 30 }),
    good: [
      ["4MiB", 4_194_304],
      ["512KiB", 524_288],
      ["1GiB", 1_073_741_824],
      ["10B", 10],
      [4096, 4096],
      ["1.5KiB", 1_536],
      ["4mib", 4_194_304],
    ],
    bad: ["4MB", "4k", "-1", "2GiB", "", "0.3B", null, ["1"]],
  },
  {
    rule: "CFG3",
    name: "list",
    kind: list(choice("a", "b"), 1) as Kind<unknown>,
    good: [
      ["a", ["a"]],
      ["a,b", ["a", "b"]],
      [" a , b ", ["a", "b"]],
      [
        ["b", "a"],
        ["b", "a"],
      ],
    ],
    bad: ["", "a,", "a,c", [], ["c"], {}, null, [["a"]]],
  },
  {
    rule: "CFG3",
    name: "list that may be empty",
    kind: list(NETWORK) as Kind<unknown>,
    good: [
      ["", []],
      [[], []],
    ],
    bad: [null, {}, ","],
  },
  {
    rule: "CFG4",
    name: "port",
    kind: wordOr("off", PORT),
    good: [
      [1935, 1935],
      ["1935", 1935],
      [0, 0],
      [65_535, 65_535],
      ["off", "off"],
      ["OFF", "off"],
      [false, "off"],
    ],
    bad: [65_536, -1, "1935/tcp", "", "on", true, 1.5, null],
  },
  {
    rule: "CFG5",
    name: "network",
    kind: NETWORK,
    good: [
      ["10.0.0.0/8", "10.0.0.0/8"],
      ["127.0.0.1", "127.0.0.1"],
      ["::1", "::1"],
      ["2001:db8::/32", "2001:db8::/32"],
      ["0.0.0.0/0", "0.0.0.0/0"],
    ],
    bad: ["10.0.0.0/33", "10.0.0/8", "::1/129", "example.org", "10.0.0.0/8/8", "1.2.3.4/", "1.2.3.4/-1", "", 7],
  },
  {
    rule: "CFG6",
    name: "path",
    kind: PATH,
    good: [
      ["x/y", "/base/x/y"],
      ["./d", "/base/d"],
      ["/abs", "/abs"],
      ["../up", "/up"],
    ],
    bad: ["", null, []],
  },
  {
    rule: "CFG7",
    name: "whole number",
    kind: integer({ min: 1, max: 10 }),
    good: [
      [1, 1],
      ["10", 10],
    ],
    bad: [0, 11, "1.5", "0x3", "", "ten", null, [1]],
  },
  {
    rule: "CFG7",
    name: "flag",
    kind: FLAG,
    good: [
      [true, true],
      ["true", true],
      ["yes", true],
      ["on", true],
      [false, false],
      ["off", false],
      ["No", false],
    ],
    bad: ["", 1, 0, "maybe", null],
  },
  {
    rule: "CFG7",
    name: "HTTP URL",
    kind: HTTP_URL,
    good: [
      ["http://127.0.0.1:3000/hook", "http://127.0.0.1:3000/hook"],
      ["https://example.org", "https://example.org/"],
    ],
    bad: ["ftp://x", "example.org/hook", "http://user:pw@host/", "", null],
  },
  {
    rule: "CFG7",
    name: "origin",
    kind: ORIGIN,
    good: [
      ["*", "*"],
      ["https://example.org", "https://example.org"],
      ["http://localhost:3000", "http://localhost:3000"],
    ],
    bad: ["example.org", "https://example.org/path", "null", "", null],
  },
];

for (const { rule, name, kind, good, bad } of TABLES) {
  for (const [raw, value] of good) {
    test(`[${rule}] ${name} reads ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(kind.read(raw, "/base"), { value });
    });
  }
  for (const raw of bad) {
    test(`[${rule}] ${name} refuses ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(kind.read(raw, "/base"), { problem: `must be ${kind.accepts}` });
    });
  }
  test(`[CFG7] what ${name} prints reads back`, () => {
    for (const [, value] of good) assert.deepEqual(kind.read(kind.print(value), "/elsewhere"), { value });
  });
}

for (const [path, { kind }] of KEYS) {
  test(`[CFG320] what ${path} must be is said in whole words`, () => {
    assert.match(kind.accepts, /^(?:an? |`|text of |\d)/);
    assert.doesNotMatch(kind.accepts, /\bor (?!an? |`|more\b|ro?e?dis:)/);
  });
}

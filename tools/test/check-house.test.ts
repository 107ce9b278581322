/** Every house rule lets a good tree pass and refuses one made-up tree that breaks it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkHouse } from "../house/house.ts";
import { HOUSE } from "../house/import-table.ts";
import { readImports } from "../house/imports.ts";
import { goodPackage, OPENING, smallTree } from "./small-tree.ts";

const GOOD = { ...goodPackage("bytes"), ...goodPackage("base"), ...goodPackage("amf", ["bytes"]) };

function refusals(files: Readonly<Record<string, string>>): string[] {
  using tree = smallTree(files);
  return checkHouse(tree.root, HOUSE)
    .filter((finding) => finding.weight === "refused")
    .map((finding) => `${finding.where}: ${finding.what}`);
}

/** Each adds to the good tree, or replaces in it, what breaks one rule. */
const BROKEN: readonly { readonly rule: string; readonly files: Record<string, string>; readonly found: RegExp }[] = [
  {
    rule: "an import that the table forbids",
    files: goodPackage("bytes", ["amf"]),
    found: /packages\/bytes\/src\/thing\.ts: bytes may not import @sluice\/amf\/thing/,
  },
  {
    rule: "a part of a room beyond the part that is allowed",
    files: { ...goodPackage("formats"), ...goodPackage("media", ["formats"], ["formats/flv"]) },
    found: /media may not import @sluice\/formats\/flv\/thing/,
  },
  {
    rule: "an import that the manifest does not declare",
    files: goodPackage("amf", [], ["bytes"]),
    found: /imports @sluice\/bytes, which package\.json does not declare/,
  },
  {
    rule: "a declared package that nothing uses",
    files: goodPackage("amf", ["bytes"], []),
    found: /package\.json: declares @sluice\/bytes, which no source uses/,
  },
  {
    rule: "a reference that the manifest does not ask for",
    files: { "packages/bytes/tsconfig.json": '{ "references": [{ "path": "../base" }] }' },
    found: /refers to \.\.\/base without using it/,
  },
  {
    rule: "a test that imports a room its own may not",
    files: { "packages/bytes/test/a.test.ts": `${OPENING}import { a } from "@sluice/server/thing";\n` },
    found: /bytes may not import @sluice\/server\/thing/,
  },
  {
    rule: "a source that imports the test kit",
    files: { ...goodPackage("testkit"), ...goodPackage("base", ["testkit"]) },
    found: /base may not import @sluice\/testkit/,
  },
  {
    rule: "a relative import that leaves the package",
    files: { "packages/bytes/src/b.ts": `${OPENING}import { a } from "../../base/src/thing.ts";\n` },
    found: /outside the sources of bytes/,
  },
  { rule: "a room that is not in the table", files: goodPackage("attic"), found: /attic: is not in the import table/ },
  {
    rule: "a cycle of files, type-only imports included",
    files: {
      "packages/bytes/src/a.ts": `${OPENING}import type { B } from "./b.ts";\n`,
      "packages/bytes/src/b.ts": `${OPENING}export { a } from "./a.ts";\n`,
    },
    found: /is in a cycle: packages\/bytes\/src\/\w\.ts → packages\/bytes\/src\/\w\.ts → /,
  },
  {
    rule: "a cycle of packages",
    files: goodPackage("bytes", ["amf"]),
    found: /is in a cycle: packages\/(bytes → packages\/amf|amf → packages\/bytes)/,
  },
  {
    rule: "a file of more than 400 lines",
    files: { "packages/bytes/src/long.ts": OPENING + "export {};\n".repeat(400) },
    found: /long\.ts: has 401 lines/,
  },
  {
    rule: "a file without its opening sentence",
    files: { "packages/bytes/src/bare.ts": "export {};\n" },
    found: /bare\.ts: does not open/,
  },
  {
    rule: "an opening that says nothing",
    files: { "packages/bytes/src/bare.ts": "/** Bytes */\nexport {};\n" },
    found: /bare\.ts: does not open/,
  },
  {
    rule: "a tool without its opening sentence",
    files: { "tools/bare.ts": "export {};\n" },
    found: /tools\/bare\.ts: does not open/,
  },
  { rule: "an index file", files: { "packages/bytes/src/index.ts": OPENING }, found: /no index files/ },
  {
    rule: "printing",
    files: { "packages/bytes/src/loud.ts": `${OPENING}console.log("here");\n` },
    found: /loud\.ts: calls console\.log/,
  },
  {
    rule: "an empty room",
    files: { "packages/media/package.json": '{ "name": "@sluice/media" }' },
    found: /media: is an empty room/,
  },
  {
    rule: "a long manifest",
    files: { "packages/bytes/package.json": `{ "name": "@sluice/bytes"${"\n".repeat(21)}}` },
    found: /package\.json: has 22 lines/,
  },
  {
    rule: "a long tsconfig",
    files: { "packages/bytes/tsconfig.json": `{${"\n".repeat(9)}}` },
    found: /tsconfig\.json: has 10 lines/,
  },
];

test("a tree that keeps the rules passes", () => assert.deepEqual(refusals(GOOD), []));

for (const { rule, files, found } of BROKEN) {
  test(`refuses ${rule}`, () => assert.match(refusals({ ...GOOD, ...files }).join("\n"), found));
}

test("a published room may have an index file", () => {
  const files = { ...GOOD, ...goodPackage("client"), "packages/client/src/index.ts": OPENING };
  assert.deepEqual(refusals(files), []);
});

test("the server may import of the client only the admin contract", () => {
  const contract = {
    ...goodPackage("client"),
    "packages/client/src/admin-contract.ts": OPENING,
    ...goodPackage("server", ["client"], []),
  };
  const using = (path: string) => ({
    ...GOOD,
    ...contract,
    "packages/server/src/a.ts": `${OPENING}import type { A } from "@sluice/client/${path}";\n`,
  });
  assert.deepEqual(refusals(using("admin-contract")), []);
  assert.match(refusals(using("thing")).join(), /server may not import @sluice\/client\/thing/);
});

test("a file between 300 and 400 lines is listed and not refused", () => {
  using tree = smallTree({ ...GOOD, "packages/bytes/src/long.ts": OPENING + "export {};\n".repeat(320) });
  assert.deepEqual(
    checkHouse(tree.root).map(({ weight, where }) => `${weight} ${where}`),
    ["warning packages/bytes/src/long.ts"],
  );
});

test("imports are found in every form and not in comments", () => {
  const text = `
    import a from "one";
    import type { B } from "two";
    import {
      c,
      d } from "three";
    export * from "four";
    import "five";
    const e = await import("six");
    // import f from "seven";
    /* import g from "eight"; */
  `;
  assert.deepEqual(readImports(text).sort(), ["five", "four", "one", "six", "three", "two"]);
});

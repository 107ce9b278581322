/** Documents are made from doc comments, and what has none is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfiguredLimits, readKeyDefaults } from "../docs/configured-limits.ts";
import { checkErrorCodes, readErrorCodes, renderErrors } from "../docs/error-codes.ts";
import { checkFeatures } from "../docs/features.ts";
import { checkGenerated, writeGenerated } from "../docs/generated.ts";
import { checkLimits, readLimits, renderLimits } from "../docs/limit-table.ts";
import { readSourceTexts } from "../docs/source-text.ts";
import { smallTree } from "./small-tree.ts";

const ERRORS = `
/** The bytes | do not begin
 *  as they must.
 *
 * @throws never */
export class HeaderError extends WireError {
  readonly code = "WIRE_FLV_HEADER";
}
export class BareError extends StateError {
  readonly code = "STATE_BARE";
}
const CODES = { depth: "LIMIT_AMF_DEPTH" } as const;
/** Something was too much. */
export class TooMuchError extends LimitError {
  readonly code = CODES.depth;
}
`;
const LIMITS = `
export interface FlvLimits {
  /** Bytes of one tag. */
  readonly tagBytes: number;
  readonly tags: number;
}
export const DEFAULT_FLV_LIMITS: FlvLimits = { tagBytes: 4 * 1024, tags: 12_000 };
`;

test("error codes come with the words above their class, or above the class that uses their table", () => {
  using tree = smallTree({ "packages/formats/src/errors.ts": ERRORS });
  const codes = readErrorCodes(readSourceTexts(tree.root));
  assert.deepEqual(
    codes.map(({ code, className, meaning }) => [code, className, meaning]),
    [
      ["LIMIT_AMF_DEPTH", "TooMuchError", "Something was too much."],
      ["STATE_BARE", "BareError", ""],
      ["WIRE_FLV_HEADER", "HeaderError", "The bytes | do not begin as they must."],
    ],
  );
  assert.deepEqual(
    checkErrorCodes(codes).map(({ what }) => what.split(" ")[0]),
    ["STATE_BARE"],
  );
  assert.match(
    renderErrors(codes),
    /\| `WIRE_FLV_HEADER` \| `HeaderError` \| The bytes \\\| do not begin as they must\. \|/,
  );
});

test("limits come with their words and the built default", async () => {
  using tree = smallTree({
    "packages/formats/src/limits.ts": LIMITS,
    "packages/formats/package.json": '{ "type": "module" }',
    "packages/formats/dist/limits.js": "export const DEFAULT_FLV_LIMITS = { tagBytes: 4096, tags: 12000 };\n",
  });
  const limits = await readLimits(tree.root, readSourceTexts(tree.root));
  assert.deepEqual(
    limits.map(({ owner, field, meaning, standard }) => [owner, field, meaning, standard]),
    [
      ["FlvLimits", "tagBytes", "Bytes of one tag.", "4 KiB"],
      ["FlvLimits", "tags", "", "12,000"],
    ],
  );
  assert.equal(checkLimits(limits).length, 1);
  assert.match(renderLimits(limits), /## formats: FlvLimits/);
});

/** A tree where the key `flv.tagBytes` sets the limit of that name. */
function configuredTree(key: { readonly declared: string; readonly built: string }, words: string) {
  return smallTree({
    "packages/formats/src/limits.ts": LIMITS.replace("Bytes of one tag.", `Bytes of one tag.${words}`),
    "packages/formats/package.json": '{ "type": "module" }',
    "packages/formats/dist/limits.js": "export const DEFAULT_FLV_LIMITS = { tagBytes: 4096, tags: 12000 };\n",
    "packages/server/src/config/keys/flv-keys.ts": `export const KEYS = {\n  "flv.tagBytes": runningKey(\n    size({ min: 1 }),\n    ${key.declared},\n  ),\n  "flv.more": key(FLAG, DEFAULT_FLV_LIMITS.tagBytes),\n};\n`,
    "packages/server/package.json": '{ "type": "module" }',
    "packages/server/dist/config/keys.js": `const kind = { read: (raw) => ({ value: Number(raw) }) };\nexport const KEYS = new Map([["flv.tagBytes", { kind, fallback: "${key.built}" }]]);\n`,
  });
}

const TAKEN = "String(DEFAULT_FLV_LIMITS.tagBytes)";
const NAMED = " Configured by `flv.tagBytes`.";

for (const { says, declared, built, words, problem } of [
  { says: "one default", declared: TAKEN, built: "4096", words: NAMED, problem: undefined },
  { says: "another default at the key", declared: '"8192"', built: "8192", words: NAMED, problem: /4096.*uses 8192/ },
  { says: "the same, written twice", declared: '"4096"', built: "4096", words: NAMED, problem: /second default/ },
  {
    says: "a key that is none",
    declared: TAKEN,
    built: "4096",
    words: " Configured by `flv.tag`.",
    problem: /no config/,
  },
  { says: "a key that the limit does not name", declared: TAKEN, built: "4096", words: "", problem: /does not say/ },
]) {
  test(`a limit that a key configures has ${says}${problem === undefined ? "" : ": refused"}`, async () => {
    using tree = configuredTree({ declared, built }, words);
    const sources = readSourceTexts(tree.root);
    const keys = await readKeyDefaults(tree.root, sources);
    const findings = checkConfiguredLimits(await readLimits(tree.root, sources, keys), keys);
    assert.equal(findings.length, problem === undefined ? 0 : 1);
    if (problem !== undefined) assert.match(findings[0]?.what ?? "", problem);
  });
}

test("a limit without a default of its own is published with its key's", async () => {
  using tree = configuredTree({ declared: '"8192"', built: "8192" }, NAMED);
  const sources = readSourceTexts(tree.root).map((source) => ({
    ...source,
    text: source.text.replace("const DEFAULT", "let X"),
  }));
  const keys = await readKeyDefaults(tree.root, sources);
  const limits = await readLimits(tree.root, sources, keys);
  assert.equal(limits[0]?.standard, "8 KiB");
  assert.deepEqual(checkConfiguredLimits(limits, keys), []);
});

test("a document that differs from what the source gives is refused until it is written anew", () => {
  using tree = smallTree({ "docs/errors.md": "old\n" });
  const docs = [{ path: "docs/errors.md", text: "new\n" }];
  assert.equal(checkGenerated(tree.root, docs).length, 1);
  assert.deepEqual(writeGenerated(tree.root, docs), ["docs/errors.md"]);
  assert.deepEqual(checkGenerated(tree.root, docs), []);
});

test("features: every id has one row, and done rows cite tests that are there", () => {
  const row = (id: string, status: string, tests = ""): string => `| ${id} | something | ${status} | ${tests} |\n`;
  const check = (text: string): string[] => {
    using tree = smallTree({ "docs/features.md": text, "e2e/play.test.ts": 'test("plays to the end", () => {});\n' });
    return checkFeatures(tree.root, ["B1", "B2"]).map(({ what }) => what);
  };
  assert.deepEqual(check(row("B1", "done", "`e2e/play.test.ts`, `plays to the end`") + row("B2", "not")), []);
  assert.deepEqual(check(row("B1", "done") + row("B2", "not")), ["B1 is done but cites no test in backticks"]);
  assert.deepEqual(check(row("B1", "part", "`e2e/gone.test.ts`") + row("B2", "not")), [
    'B1 cites "e2e/gone.test.ts", which is no test',
  ]);
  assert.deepEqual(check(row("B1", "not")), ["B2 has no row"]);
  assert.deepEqual(check(row("B1", "not") + row("B1", "not") + row("B2", "maybe")).length, 2);
});

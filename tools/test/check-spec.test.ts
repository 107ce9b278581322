/** Numbered rules and tests must know each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSpec } from "../house/spec.ts";
import { smallTree } from "./small-tree.ts";

function findings(files: Readonly<Record<string, string>>): string[] {
  using tree = smallTree(files);
  return checkSpec(tree.root).map(({ where, what }) => `${where}: ${what}`);
}

const SPEC = { "docs/spec/rtmp.md": "# RTMP\n\n- **CHK1** One.\n- **CHK2** Two.\n- **CHK3** Three.\n" };
/** In pieces, so that the check does not take this file's own examples for citations. */
const cite = (ids: string): string => ['test("', "[", ids, '] says", () => {});\n'].join("");
const GOLDEN = ["ru", 'le: "'].join("");
const ALL = {
  "packages/rtmp/test/a.test.ts": `${cite("CHK1, CHK2")}const ROWS = [{ ${GOLDEN}CHK3", says: "x" }];\n`,
};

test("passes when every rule is cited, in a list or in a golden table", () =>
  assert.deepEqual(findings({ ...SPEC, ...ALL }), []));

test("refuses a rule without a test", () => {
  assert.deepEqual(findings({ ...SPEC, "packages/rtmp/test/a.test.ts": cite("CHK1,CHK3") }), [
    "docs/spec/rtmp.md: CHK2 has no test",
  ]);
});

test("refuses a citation of a rule that is not there", () => {
  const found = findings({ ...SPEC, ...ALL, "e2e/play.test.ts": cite("CHK4") });
  assert.deepEqual(found, ["e2e/play.test.ts: cites CHK4, which no file in docs/spec has"]);
});

test("an id of features.md may be cited", () => {
  const features = { "docs/features.md": "| K5 | ids | not |  |\n" };
  assert.deepEqual(findings({ ...SPEC, ...ALL, ...features, "e2e/play.test.ts": cite("K5") }), []);
});

test("refuses an id that stands twice", () => {
  assert.match(findings({ ...SPEC, ...ALL, "docs/spec/more.md": "- **CHK1** Again.\n" }).join(), /CHK1 is also in/);
});

test("refuses a rule that is written in another form", () => {
  const found = findings({ ...SPEC, ...ALL, "docs/spec/more.md": "- CHK9 no stars\n" });
  assert.match(found.join(), /CHK9 is not written as/);
});

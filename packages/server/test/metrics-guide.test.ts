/** The guide's table of metrics is the list of metrics that the source code names. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../../..");
const GUIDE = join(ROOT, "docs/guide/observing.md");

/** `.counter("name", "help"` and `.gauge(…`, wherever the lines break. */
const NAMING = /\.(counter|gauge)\(\s*"([a-z0-9_]+)",\s*"([^"]+)"/g;

/** One table row for each metric, as `| name | kind | help |`. */
function rowsInSource(): Set<string> {
  const files = globSync("packages/*/src/**/*.ts", { cwd: ROOT });
  const found = files.flatMap((file) => [...readFileSync(join(ROOT, file), "utf8").matchAll(NAMING)]);
  return new Set(found.map(([, kind = "", name = "", help = ""]) => rowOf(kind, name, help)));
}

function rowOf(kind: string, name: string, help: string): string {
  const suffix = kind === "counter" && !name.endsWith("_total") ? "_total" : "";
  return `| \`sluice_${name}${suffix}\` | ${kind} | ${help} |`;
}

test("[MET6] the guide lists every metric with its kind and help, and no other", () => {
  const documented = readFileSync(GUIDE, "utf8").match(/^\| `sluice_.*$/gm) ?? [];
  const named = [...rowsInSource()].toSorted();
  assert.ok(named.length > 5);
  assert.deepEqual(documented.toSorted(), named, `docs/guide/observing.md should list:\n${named.join("\n")}\n`);
});

test("[MET6] no metric is named in a way that the check above cannot see", () => {
  for (const file of globSync("packages/*/src/**/*.ts", { cwd: ROOT })) {
    const source = readFileSync(join(ROOT, file), "utf8");
    const calls = source.match(/\bmeter\s*\.(counter|gauge)\(/g)?.length ?? 0;
    const seen = [...source.matchAll(NAMING)].length;
    assert.ok(seen >= calls, `${file} asks for ${calls} metrics, ${seen} by literal name and help`);
  }
});

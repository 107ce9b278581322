/** Compares the numbered rules of docs/spec with the ids that test names cite. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, refused } from "./finding.ts";

const RULE = /^- \*\*([A-Z]+\d+)\*\* (.+)$/gm;
/** Anything that looks like a rule: an id in bold at the start of a list entry. */
const LOOSE_RULE = /^[ \t]*[-*] \**\s*([A-Z]{2,}\d+)\b.*$/gm;
/** A bracketed list of ids at the start of a test's name. */
const CITATION = /["'`]((?:\[[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*\]\s*)+)/g;
/** A row of a golden table. */
const GOLDEN_RULE = /\brule:\s*["'`]([A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)["'`]/g;
const ID = /[A-Z]+\d+/g;

export interface Rule {
  readonly id: string;
  readonly says: string;
  readonly where: string;
}

export function checkSpec(root: string): Finding[] {
  const findings: Finding[] = [];
  const rules = new Map<string, Rule>();
  for (const path of globSync("docs/spec/*.md", { cwd: root }).sort()) {
    const text = readFileSync(join(root, path), "utf8");
    for (const rule of readRules(path, text)) {
      if (rules.has(rule.id)) findings.push(refused(path, `${rule.id} is also in ${rules.get(rule.id)?.where}`));
      rules.set(rule.id, rule);
    }
    findings.push(...misshapen(path, text));
  }
  const cited = readCitations(root);
  const features = featureIds(root);
  for (const [id, rule] of rules) if (!cited.has(id)) findings.push(refused(rule.where, `${id} has no test`));
  for (const [id, where] of cited) {
    if (!rules.has(id) && !features.has(id))
      findings.push(refused(where, `cites ${id}, which no file in docs/spec has`));
  }
  return findings;
}

function readRules(path: string, text: string): Rule[] {
  return [...text.matchAll(RULE)].map((match) => ({ id: match[1] as string, says: match[2] as string, where: path }));
}

function misshapen(path: string, text: string): Finding[] {
  const good = new Set([...text.matchAll(RULE)].map((match) => match[0]));
  const loose = [...text.matchAll(LOOSE_RULE)].filter((match) => !good.has(match[0]));
  return loose.map((match) => refused(path, `${match[1]} is not written as "- **${match[1]}** one sentence"`));
}

/** Every cited id, with one test file that cites it. */
function readCitations(root: string): Map<string, string> {
  const cited = new Map<string, string>();
  const exclude = (name: string): boolean => name.endsWith("node_modules") || name.endsWith("dist");
  for (const path of globSync(["packages/*/test/**/*.{ts,tsx}", "tools/test/**/*.ts", "e2e/**/*.ts"], {
    cwd: root,
    exclude,
  })) {
    const text = readFileSync(join(root, path), "utf8");
    const lists = [...text.matchAll(CITATION), ...text.matchAll(GOLDEN_RULE)].map((match) => match[1] as string);
    for (const id of lists.flatMap((list) => list.match(ID) ?? [])) cited.set(id, path);
  }
  return cited;
}

/** Ids of docs/features.md may be cited as well; that file has its own check. */
function featureIds(root: string): Set<string> {
  const path = join(root, "docs/features.md");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return new Set([...text.matchAll(/^\| ([A-Z]+\d+) \|/gm)].map((match) => match[1] as string));
}

/** Compares docs with the source: error codes, limits, configuration, features. `--fix` writes the generated ones. */
import { join } from "node:path";
import { checkConfiguredLimits, readKeyDefaults } from "./docs/configured-limits.ts";
import { checkErrorCodes, readErrorCodes, renderErrors } from "./docs/error-codes.ts";
import { checkFeatures } from "./docs/features.ts";
import { checkGenerated, configDocs, writeGenerated } from "./docs/generated.ts";
import { checkLimits, readLimits, renderLimits } from "./docs/limit-table.ts";
import { readSourceTexts } from "./docs/source-text.ts";
import { report } from "./house/finding.ts";

const root = join(import.meta.dirname, "..");
const sources = readSourceTexts(root).filter(({ room }) => room !== "console");
const codes = readErrorCodes(sources);
const keys = await readKeyDefaults(root, sources);
const limits = await readLimits(root, sources, keys);
const generated = [
  { path: "docs/errors.md", text: renderErrors(codes) },
  { path: "docs/limits.md", text: renderLimits(limits) },
  ...configDocs(root),
];
if (process.argv.includes("--fix")) for (const path of writeGenerated(root, generated)) console.log(`wrote ${path}`);
const findings = [
  ...checkErrorCodes(codes),
  ...checkLimits(limits),
  ...checkConfiguredLimits(limits, keys),
  ...checkGenerated(root, generated),
  ...checkFeatures(root),
];
process.exitCode = report("docs", findings);

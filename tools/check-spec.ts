/** Refuses a rule of docs/spec without a test, and a test that cites a rule which is not there. */
import { join } from "node:path";
import { report } from "./house/finding.ts";
import { checkSpec } from "./house/spec.ts";

process.exitCode = report("spec", checkSpec(join(import.meta.dirname, "..")));

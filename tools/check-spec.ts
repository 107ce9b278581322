/** Checks that every rule of docs/spec has a test, and that every cited rule exists. */
import { join } from "node:path";
import { report } from "./house/finding.ts";
import { checkSpec } from "./house/spec.ts";

process.exitCode = report("spec", checkSpec(join(import.meta.dirname, "..")));

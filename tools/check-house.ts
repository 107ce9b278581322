/** Checks the house rules: directions of import, cycles, sizes, opening comments, empty rooms. */
import { join } from "node:path";
import { report } from "./house/finding.ts";
import { checkHouse } from "./house/house.ts";

process.exitCode = report("house", checkHouse(join(import.meta.dirname, "..")));

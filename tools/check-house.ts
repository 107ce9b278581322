/** Refuses what breaks the house rules: directions of import, cycles, sizes, openings, empty rooms. */
import { join } from "node:path";
import { report } from "./house/finding.ts";
import { checkHouse } from "./house/house.ts";

process.exitCode = report("house", checkHouse(join(import.meta.dirname, "..")));

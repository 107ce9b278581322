/** All house rules over one workspace. */
import { checkCycles } from "./cycle-rules.ts";
import { checkFiles } from "./file-rules.ts";
import type { Finding } from "./finding.ts";
import { checkImports } from "./import-rules.ts";
import { HOUSE, type HouseTable } from "./import-table.ts";
import { checkRooms } from "./room-rules.ts";
import { readTree } from "./tree.ts";

export function checkHouse(root: string, table: HouseTable = HOUSE): Finding[] {
  const tree = readTree(root);
  return [...checkImports(tree, table), ...checkCycles(tree), ...checkFiles(tree, table), ...checkRooms(tree)];
}

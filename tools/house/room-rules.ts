/** Checks that each package is in use and its configuration files are short. */
import { type Finding, refused } from "./finding.ts";
import type { Room, Tree } from "./tree.ts";

const MOST_MANIFEST_LINES = 20;
const MOST_TSCONFIG_LINES = 8;
/** A web page needs scripts, a DOM and JSX settings. */
const ROOMY = ["console"];

export function checkRooms(tree: Tree): Finding[] {
  return tree.rooms.flatMap((room) => [...checkUse(room), ...(ROOMY.includes(room.name) ? [] : checkSetUp(room))]);
}

function checkUse(room: Room): Finding[] {
  const where = `packages/${room.name}`;
  const findings = room.src.length === 0 ? [refused(where, "is an empty room: no source files")] : [];
  if (room.manifest.name !== `@sluice/${room.name}`) findings.push(refused(where, `is not named @sluice/${room.name}`));
  return findings;
}

function checkSetUp(room: Room): Finding[] {
  const where = `packages/${room.name}`;
  const findings: Finding[] = [];
  if (room.manifestLineCount > MOST_MANIFEST_LINES) {
    findings.push(refused(`${where}/package.json`, `has ${room.manifestLineCount} lines, over ${MOST_MANIFEST_LINES}`));
  }
  if (room.tsconfigLineCount > MOST_TSCONFIG_LINES) {
    findings.push(
      refused(`${where}/tsconfig.json`, `has ${room.tsconfigLineCount} lines, over ${MOST_TSCONFIG_LINES}`),
    );
  }
  return findings;
}

/** Reads the repository's fixtures. */
import { readFileSync } from "node:fs";

/** @param name  such as "flv/avc-aac.flv" */
export function readFixture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url)));
}

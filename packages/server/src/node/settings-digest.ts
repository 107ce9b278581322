/** A digest of what must be configured alike on all nodes of a cluster: who may publish and play. */
import { createHash } from "node:crypto";
import type { SluiceConfig } from "../config/load-config.ts";

/** Keys of `auth.*`, of the node and of applications; files count by what they hold, not by where they are. */
const AUTH_KEY = /^(applications\.[^.]+\.)?auth\.(?!.*File$)/;

/** Tells differences, and nothing of what it is made of: 64 bits of SHA-256. */
export function settingsDigest({ entries, secrets }: SluiceConfig): string {
  const { jwtSecret, jwtPublicKey, jwtKeySet, signedSecret, hooksToken } = secrets;
  const keys = entries.filter(({ path }) => AUTH_KEY.test(path)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const said = [
    keys.map(({ path, value }) => [path, value ?? null]),
    jwtSecret,
    jwtPublicKey,
    jwtKeySet,
    signedSecret,
    hooksToken,
  ];
  return createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 16);
}

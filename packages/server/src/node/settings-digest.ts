/** A digest of the settings that must be equal on all nodes of a cluster: who may publish and play. */
import { createHash } from "node:crypto";
import type { SluiceConfig } from "../config/load-config.ts";

/** Keys of `auth.*`, of the node and of applications; files count by their content, not their path. */
const AUTH_KEY = /^(applications\.[^.]+\.)?auth\.(?!.*File$)/;

/** Shows differences without revealing the settings: 64 bits of SHA-256. */
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

/** Looks into keys and certificates, so that a wrong file is told at start and not by the first client. */
import { createPublicKey } from "node:crypto";
import type { Problem } from "./config-error.ts";

const USABLE = "must hold a public key for RS256 (RSA), ES256 (P-256) or EdDSA (Ed25519)";

/** A PEM public key that tokens can be checked with. */
export function publicKeyProblems(path: string, pem: string | undefined): Problem[] {
  return pem === undefined || isUsableKey(() => createPublicKey(pem)) ? [] : [{ path, where: "", message: USABLE }];
}

/** Every key of a set. */
export function keySetProblems(path: string, keys: readonly Record<string, unknown>[]): Problem[] {
  return keys.flatMap((key, index) =>
    isUsableKey(() => createPublicKey({ key, format: "jwk" }))
      ? []
      : [{ path, where: "", message: `${USABLE}; number ${index + 1} of its keys is not one` }],
  );
}

function isUsableKey(load: () => ReturnType<typeof createPublicKey>): boolean {
  try {
    const key = load();
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
    if (type === "rsa") return (details?.modulusLength ?? 0) >= 2_048;
    return type === "ed25519" || (type === "ec" && details?.namedCurve === "prime256v1");
  } catch {
    return false;
  }
}

/** Looks into keys and certificates, so that a wrong file is told at start and not by the first client. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
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

/** Certificate and private key that belong together. */
export function tlsPairProblems(cert: string | undefined, key: string | undefined): Problem[] {
  const certificate = cert === undefined ? undefined : attempt(() => new X509Certificate(cert));
  const privateKey = key === undefined ? undefined : attempt(() => createPrivateKey(key));
  const problems: Problem[] = [];
  if (cert !== undefined && !certificate) {
    problems.push({ path: "tls.cert", where: "", message: "must hold a certificate in PEM form" });
  }
  if (key !== undefined && !privateKey) {
    problems.push({ path: "tls.key", where: "", message: "must hold a private key in PEM form, without a passphrase" });
  }
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    problems.push({ path: "tls.key", where: "", message: "is not the key of the certificate in tls.cert" });
  }
  return problems;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

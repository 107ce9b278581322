/** Checks that a certificate and a private key are usable and belong together. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** A problem with one half of the pair; the message continues a sentence that names that half. */
export interface TlsPairProblem {
  readonly part: "cert" | "key";
  readonly message: string;
}

/** Problems of a certificate and its private key. */
export function tlsPairProblems(cert: string | undefined, key: string | undefined): TlsPairProblem[] {
  const certificate = cert === undefined ? undefined : attempt(() => new X509Certificate(cert));
  const privateKey = key === undefined ? undefined : attempt(() => createPrivateKey(key));
  const problems: TlsPairProblem[] = [];
  if (cert !== undefined && !certificate) {
    problems.push({ part: "cert", message: "must hold a certificate in PEM form" });
  }
  if (key !== undefined && !privateKey) {
    problems.push({ part: "key", message: "must hold a private key in PEM form, without a passphrase" });
  }
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey)) {
    problems.push({ part: "key", message: "is not the key of the certificate" });
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

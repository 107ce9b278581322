/** A self-signed certificate: encrypts, but proves no identity. */
import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Millis } from "@sluice/base/brand";
import type { TlsPair } from "./tls-certificate.ts";

const DAY = 24 * 60 * 60 * 1000;
/** Clocks of two machines may differ by this much. */
const BEFORE = DAY;
/** Created anew at every start; must outlast the longest run of a process. */
const AFTER = 3_650 * DAY;

/**
 * Loads the library only here, as most processes need no such certificate.
 *
 * @param name  subject and issuer, for people who inspect a connection
 * @param wall  milliseconds since 1970
 */
export async function selfSignedPair(name: string, wall: Millis): Promise<TlsPair> {
  const { default: forge } = await import("node-forge");
  const keys = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = new Date(wall - BEFORE);
  certificate.validity.notAfter = new Date(wall + AFTER);
  const subject = [{ name: "commonName", value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.sign(forge.pki.privateKeyFromPem(keys.privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: keys.privateKey };
}

/** Fills the crypto port with node:crypto. */
import { createHmac, randomBytes } from "node:crypto";
import type { Crypto } from "@sluice/base/crypto";

export const NODE_CRYPTO: Crypto = {
  randomBytes: (byteCount) => randomBytes(byteCount),
  hmacSha256: (key, bytes) => createHmac("sha256", key).update(bytes).digest(),
};

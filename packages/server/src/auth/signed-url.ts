/** Signed URLs: `?expires=UNIX&sign=…`, good for one action on one stream until a moment. */
import { createHmac } from "node:crypto";
import { isSameSecret } from "@sluice/runtime/secret-compare";
import { ALLOWED, denied, type Verdict } from "./access.ts";

export interface SignedGrant {
  readonly action: "publish" | "play";
  /** StreamKey. */
  readonly key: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** Base64url of HMAC-SHA256 over `action:key:expires`. */
export function signGrant(secret: string, { action, key, expires }: SignedGrant): string {
  return createHmac("sha256", secret).update(`${action}:${key}:${expires}`).digest("base64url");
}

/** @param nowSeconds  since 1970 */
export function checkSignedUrl(
  secret: string,
  wanted: Omit<SignedGrant, "expires">,
  query: ReadonlyMap<string, string>,
  nowSeconds: number,
): Verdict {
  const expires = query.get("expires") ?? "";
  const sign = query.get("sign") ?? "";
  if (!/^[1-9]\d{0,14}$/.test(expires)) return denied("token-invalid", "The URL carries no usable expires");
  const expected = signGrant(secret, { ...wanted, expires: Number(expires) });
  if (!isSameSecret(sign, expected))
    return denied("token-invalid", "The URL's signature does not fit this stream and action");
  return nowSeconds < Number(expires) ? ALLOWED : denied("token-expired", "The signed URL has expired");
}

/** Checks JSON Web Tokens: signature, times, issuer, and whether they grant this action on this stream. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { ALLOWED, denied, type Verdict } from "./access.ts";
import { GUARD_LIMITS } from "./limits.ts";

export interface JwtRules {
  /** For HS256. */
  readonly secret?: string | undefined;
  /** PEM, for RS256, ES256 or EdDSA by the kind of key. */
  readonly publicKey?: string | undefined;
  readonly keySet?: { readonly keys: readonly Record<string, unknown>[] } | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

/** Clocks of two machines may differ by this much. */
const TOLERANCE_SECONDS = 5;
const PUBLIC_ALGORITHMS = ["RS256", "ES256", "EdDSA", "Ed25519"];

type Verify = (token: string, options: JWTVerifyOptions) => Promise<{ readonly payload: JWTPayload }>;

export class JwtCheck {
  readonly #verifiers: readonly Verify[];
  readonly #expected: JWTVerifyOptions;

  constructor(rules: JwtRules) {
    this.#verifiers = verifiersOf(rules);
    this.#expected = {
      clockTolerance: TOLERANCE_SECONDS,
      ...(rules.issuer === undefined ? {} : { issuer: rules.issuer }),
      ...(rules.audience === undefined ? {} : { audience: rules.audience }),
    };
  }

  /** @param now  wall clock */
  async check(token: string, wanted: { readonly action: string; readonly key: string }, now: Date): Promise<Verdict> {
    if (token.length > GUARD_LIMITS.tokenCharacters) return denied("token-invalid", "The token is too long");
    let verdict: Verdict = denied("token-invalid", "The token is not valid");
    for (const verify of this.#verifiers) {
      try {
        const { payload } = await verify(token, { ...this.#expected, currentDate: now });
        return scopeVerdict(payload, wanted);
      } catch (error) {
        verdict = moreTelling(verdict, error);
      }
    }
    return verdict;
  }
}

/** Each key verifies only algorithms of its own kind, so that a public key never serves as a shared secret. */
function verifiersOf({ secret, publicKey, keySet }: JwtRules): Verify[] {
  const verifiers: Verify[] = [];
  if (secret !== undefined) {
    const bytes = new TextEncoder().encode(secret);
    verifiers.push((token, options) => jwtVerify(token, bytes, { ...options, algorithms: ["HS256"] }));
  }
  if (publicKey !== undefined) {
    const key = createPublicKey(publicKey);
    verifiers.push((token, options) => jwtVerify(token, key, { ...options, algorithms: algorithmsOf(key) }));
  }
  if (keySet !== undefined) {
    const find = createLocalJWKSet(keySet as unknown as JSONWebKeySet);
    verifiers.push((token, options) => jwtVerify(token, find, { ...options, algorithms: PUBLIC_ALGORITHMS }));
  }
  return verifiers;
}

function algorithmsOf(key: KeyObject): string[] {
  if (key.asymmetricKeyType === "rsa") return ["RS256"];
  return key.asymmetricKeyType === "ec" ? ["ES256"] : ["EdDSA", "Ed25519"];
}

/** Of several keys' opinions, the one from the key that recognised the signature. */
function moreTelling(verdict: Verdict, error: unknown): Verdict {
  if (error instanceof errors.JWTExpired) return denied("token-expired", "The token has expired");
  if (error instanceof errors.JWTClaimValidationFailed)
    return denied("token-invalid", `The token's ${error.claim} is not acceptable`);
  return verdict;
}

function scopeVerdict(payload: JWTPayload, wanted: { readonly action: string; readonly key: string }): Verdict {
  const actions = [...textsOf(payload["action"]), ...textsOf(payload["actions"])];
  if (!actions.includes(wanted.action)) return denied("token-scope", `The token does not allow to ${wanted.action}`);
  const patterns = textsOf(payload["key"]);
  if (!patterns.some((pattern) => matchesKey(pattern, wanted.key)))
    return denied("token-scope", "The token is for another stream");
  return ALLOWED;
}

function textsOf(claim: unknown): string[] {
  if (typeof claim === "string") return [claim];
  return Array.isArray(claim) ? claim.filter((item) => typeof item === "string") : [];
}

/**
 * Which streams a token is good for: `live/cam`, `live/*` (one part), `live/**` (one part or more, only at the end). Parts
 * are compared whole: a `*` inside a part is an ordinary character.
 */
export function matchesKey(pattern: string, key: string): boolean {
  const wanted = pattern.split("/");
  const parts = key.split("/");
  const isOpenEnded = wanted.at(-1) === "**";
  if (isOpenEnded ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  const fixed = isOpenEnded ? wanted.slice(0, -1) : wanted;
  return fixed.every((part, index) => (part === "*" ? parts[index] !== "" : part === parts[index]));
}

/** Tokens and signed URLs at the guard: algorithms, times, scopes, tampering. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import type { Verdict } from "@sluice/server/auth/access";
import { signGrant } from "@sluice/server/auth/signed-url";
import { guardOf, NEVER, NOW, requestOf, SECRET } from "./guard-fixture.ts";

const codeOf = (verdict: Verdict): string => (verdict.allow ? "allowed" : verdict.code);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const ed = generateKeyPairSync("ed25519");
const pem = (key: typeof rsa.publicKey): string => key.export({ type: "spki", format: "pem" }) as string;

const GRANT = { action: "play", key: "live/cam", exp: NOW + 60 };
const JWT = ["auth.play=jwt", `auth.jwt.secret=${SECRET}`];

type Signer = Parameters<SignJWT["sign"]>[0];
const make = (claims: object, alg = "HS256", key: Signer = bytes(SECRET), header = {}): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, ...header }).sign(key);

const CLAIMS = [
  [GRANT, "allowed"],
  [{ actions: ["publish", "play"], key: ["other", "live/*"] }, "allowed"],
  [{ action: ["play"], key: "**" }, "allowed"],
  [{ action: "publish", key: "live/cam" }, "token-scope"],
  [{ key: "live/cam" }, "token-scope"],
  [{ action: "play" }, "token-scope"],
  [{ action: "play", key: "live/cam2" }, "token-scope"],
  [{ action: "play", key: 7 }, "token-scope"],
  [{ ...GRANT, exp: NOW - 4 }, "allowed"],
  [{ ...GRANT, exp: NOW - 5 }, "token-expired"],
  [{ ...GRANT, exp: "soon" }, "token-invalid"],
  [{ ...GRANT, nbf: NOW + 5 }, "allowed"],
  [{ ...GRANT, nbf: NOW + 60 }, "token-invalid"],
] as const;

for (const [claims, expected] of CLAIMS) {
  test(`[GRD10] a token with ${JSON.stringify(claims)} is ${expected}`, async () => {
    const { guard } = guardOf(JWT);
    assert.equal(codeOf(await guard.decide(requestOf({ query: `token=${await make(claims)}` }), NEVER)), expected);
  });
}

test("[GRD10] issuer and audience must fit where they are configured", async () => {
  const { guard } = guardOf([...JWT, "auth.jwt.issuer=us", "auth.jwt.audience=sluice"]);
  const decide = async (more: object) =>
    codeOf(await guard.decide(requestOf({ query: `token=${await make({ ...GRANT, ...more })}` }), NEVER));
  assert.equal(await decide({ iss: "us", aud: ["sluice", "x"] }), "allowed");
  assert.equal(await decide({ iss: "them", aud: "sluice" }), "token-invalid");
  assert.equal(await decide({ iss: "us" }), "token-invalid");
});

test("[GRD10] no token, junk and huge tokens are refused", async () => {
  const { guard } = guardOf(JWT);
  const decide = async (query: string) => codeOf(await guard.decide(requestOf({ query }), NEVER));
  assert.equal(await decide(""), "token-missing");
  assert.equal(await decide("token="), "token-missing");
  assert.equal(await decide("token=junk"), "token-invalid");
  assert.equal(await decide("token=a.b.c"), "token-invalid");
  assert.equal(await decide(`token=${"x".repeat(100_000)}`), "token-invalid");
});

for (const [alg, pair] of [
  ["RS256", rsa],
  ["ES256", p256],
  ["EdDSA", ed],
] as const) {
  test(`[GRD11] ${alg} opens by its public key, alone or in a key set, and by no other`, async () => {
    const token = await make(GRANT, alg, pair.privateKey);
    const jwks = JSON.stringify({
      keys: [rsa, p256, ed].map(({ publicKey }, i) => ({ ...publicKey.export({ format: "jwk" }), kid: `k${i}` })),
    });
    const files = {
      "/own": pem(pair.publicKey),
      "/other": pem(generateKeyPairSync("ed25519").publicKey),
      "/jwks": jwks,
    };
    const decide = async (key: string, sent: string) => {
      const { guard } = guardOf(["auth.play=jwt", key], files);
      return codeOf(await guard.decide(requestOf({ query: `token=${sent}` }), NEVER));
    };
    assert.equal(await decide("auth.jwt.publicKeyFile=own", token), "allowed");
    assert.equal(await decide("auth.jwt.publicKeyFile=other", token), "token-invalid");
    assert.equal(await decide("auth.jwt.jwksFile=jwks", token), "allowed");
    const kid = `k${[rsa, p256, ed].indexOf(pair)}`;
    assert.equal(await decide("auth.jwt.jwksFile=jwks", await make(GRANT, alg, pair.privateKey, { kid })), "allowed");
    assert.equal(
      await decide("auth.jwt.jwksFile=jwks", await make(GRANT, alg, pair.privateKey, { kid: "unknown" })),
      "token-invalid",
    );
  });
}

test("[GRD11] a public key does not serve as a shared secret, and `none` opens nothing", async () => {
  const text = pem(rsa.publicKey);
  const { guard } = guardOf(["auth.play=jwt", "auth.jwt.publicKeyFile=/own"], { "/own": text });
  const decide = async (token: string) => codeOf(await guard.decide(requestOf({ query: `token=${token}` }), NEVER));
  assert.equal(await decide(await make(GRANT, "HS256", bytes(text))), "token-invalid");
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  assert.equal(await decide(`${part({ alg: "none" })}.${part(GRANT)}.`), "token-invalid");
  const { guard: shared } = guardOf(JWT);
  const hs512 = await make(GRANT, "HS512", bytes(SECRET.repeat(4)));
  assert.equal(codeOf(await shared.decide(requestOf({ query: `token=${hs512}` }), NEVER)), "token-invalid");
});

test("[GRD12] the same token closes as the clock moves", async () => {
  const { guard, clock } = guardOf(JWT);
  const request = requestOf({ query: `token=${await make(GRANT)}` });
  assert.equal(codeOf(await guard.decide(request, NEVER)), "allowed");
  clock.advance(64_999);
  assert.equal(codeOf(await guard.decide(request, NEVER)), "allowed");
  clock.advance(1_000);
  assert.equal(codeOf(await guard.decide(request, NEVER)), "token-expired");
});

test("[GRD14] a token may come in the Authorization header", async () => {
  const { guard } = guardOf(JWT);
  const authorization = `Bearer ${await make(GRANT)}`;
  assert.equal(codeOf(await guard.decide(requestOf({ authorization }), NEVER)), "allowed");
});

const REPEATED = [
  ["twice in one query, with one value", { query: "token=GOOD&token=GOOD" }],
  ["the good one first", { query: "token=GOOD&token=FORGED" }],
  ["the good one last", { query: "token=FORGED&token=GOOD" }],
  ["an empty one beside it", { query: "token=&token=GOOD" }],
  ["once escaped", { query: "token=GOOD&%74oken=FORGED" }],
  ["at connect and at publish, differing", { query: ["token=GOOD", "token=FORGED"] }],
  ["at connect and at publish, differing otherwise", { query: ["token=FORGED", "token=GOOD"] }],
  ["in the URL and in the header", { query: "token=GOOD", authorization: "Bearer FORGED" }],
  ["in the header and in the URL", { query: "token=FORGED", authorization: "Bearer GOOD" }],
  ["in two headers", { authorization: ["Bearer GOOD", "Bearer FORGED"] }],
  ["another credential twice", { query: "token=GOOD&expires=1&expires=2" }],
] as const;

for (const [says, facts] of REPEATED) {
  test(`[GRD150] a credential that is shown more than once is refused: ${says}`, async () => {
    const token = await make(GRANT);
    const filled = JSON.parse(JSON.stringify(facts).replaceAll("GOOD", token)) as Parameters<typeof requestOf>[0];
    assert.equal(codeOf(await guardOf(JWT).guard.decide(requestOf(filled), NEVER)), "token-repeated");
  });
}

test("[GRD150] the same token at connect, at publish and in the header is one token", async () => {
  const token = await make(GRANT);
  const facts = { query: [`token=${token}`, `x=1&token=${token}`], authorization: `Bearer ${token}` };
  assert.equal(codeOf(await guardOf(JWT).guard.decide(requestOf(facts), NEVER)), "allowed");
});

test("[GRD150] where nothing is checked nobody minds", async () => {
  assert.equal(codeOf(await guardOf([]).guard.decide(requestOf({ query: "token=1&token=2" }), NEVER)), "allowed");
});

const SIGNED = ["auth.play=signed", `auth.signed.secret=${SECRET}`];
const sign = signGrant(SECRET, { action: "play", key: "live/cam", expires: NOW + 60 });

test("[GRD15] the signature is HMAC-SHA256 over action, key and expiry", () => {
  // Computed with: printf 'play:live/cam:1767225660' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | basenc --base64url
  assert.equal(sign, "fvKHO6MqE9r3l7Smz0o5Cldj0AU1iYy0PYEN0z9LYAc");
});

const URLS = [
  ["as it was made", { query: `expires=${NOW + 60}&sign=${sign}` }, "allowed"],
  ["another stream", { query: `expires=${NOW + 60}&sign=${sign}`, key: "live/cam2" }, "token-invalid"],
  ["a longer life", { query: `expires=${NOW + 61}&sign=${sign}` }, "token-invalid"],
  ["a cut signature", { query: `expires=${NOW + 60}&sign=${sign.slice(0, -1)}` }, "token-invalid"],
  ["a longer signature", { query: `expires=${NOW + 60}&sign=${sign}A` }, "token-invalid"],
  ["an empty signature", { query: `expires=${NOW + 60}&sign=` }, "token-invalid"],
  ["no signature", { query: `expires=${NOW + 60}` }, "token-missing"],
  ["no expiry", { query: `sign=${sign}` }, "token-invalid"],
  ["an expiry in another form", { query: `expires=0${NOW + 60}&sign=${sign}` }, "token-invalid"],
  ["an expiry that is no number", { query: `expires=1e99&sign=${sign}` }, "token-invalid"],
] as const;

for (const [says, facts, expected] of URLS) {
  test(`[GRD15] a signed URL with ${says} is ${expected}`, async () => {
    assert.equal(codeOf(await guardOf(SIGNED).guard.decide(requestOf(facts), NEVER)), expected);
  });
}

test("[GRD15] a signed URL is for its action, and until its moment", async () => {
  const { guard, clock } = guardOf([...SIGNED, "auth.publish=signed"]);
  const query = `expires=${NOW + 60}&sign=${sign}`;
  assert.equal(codeOf(await guard.decide(requestOf({ query, action: "publish" }), NEVER)), "token-invalid");
  clock.advance(59_999);
  assert.equal(codeOf(await guard.decide(requestOf({ query }), NEVER)), "allowed");
  clock.advance(1);
  assert.equal(codeOf(await guard.decide(requestOf({ query }), NEVER)), "token-expired");
});

test("[GRD16] token or signature, one of them suffices", async () => {
  const { guard } = guardOf(["auth.play=jwt,signed", `auth.jwt.secret=${SECRET}`, `auth.signed.secret=${SECRET}`]);
  const decide = async (query: string) => codeOf(await guard.decide(requestOf({ query }), NEVER));
  assert.equal(await decide(`token=${await make(GRANT)}`), "allowed");
  assert.equal(await decide(`expires=${NOW + 60}&sign=${sign}`), "allowed");
  assert.equal(await decide(`token=junk&expires=${NOW + 60}&sign=${sign}`), "allowed");
  assert.equal(await decide("token=junk"), "token-invalid");
  assert.equal(await decide(""), "token-missing");
});

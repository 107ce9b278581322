/** Who may use the admin interface: the whole table, rebinding, proxies and foreign pages included. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdminAccess, bearerOf, decideAdminAccess } from "@sluice/server/auth/admin-access";
import { adminVerdicts } from "@sluice/server/auth/admin-verdict";

const TOKEN = "a-token-of-some-length";
const ORIGINS = [
  [undefined, true],
  ["http://localhost:8080", true],
  ["http://localhost:9999", false],
  ["https://evil.example", false],
  ["null", false],
  ["", false],
  ["file://", false],
] as const;
const HOSTS = [
  ["localhost:8080", true],
  ["LOCALHOST:8080", true],
  ["evil.example:8080", false],
  ["localhost.evil.example:8080", false],
  [undefined, false],
] as const;
const REMOTES = [
  ["127.0.0.1", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["127.8.8.8", true],
  ["10.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["2001:db8::1", false],
  [undefined, false],
] as const;
const FORWARDING = [
  [{}, true],
  [{ forwarded: "for=1.2.3.4" }, false],
  [{ "x-forwarded-for": "127.0.0.1" }, false],
  [{ "x-forwarded-host": "localhost" }, false],
  [{ "x-forwarded-anything": "" }, false],
  [{ "x-real-ip": "127.0.0.1" }, false],
  [{ via: "1.1 proxy" }, false],
  [{ "cf-connecting-ip": "1.2.3.4" }, false],
  [{ "user-agent": "curl" }, true],
] as const;

function decide(
  remoteAddress: string | undefined,
  headers: Record<string, string | undefined>,
  token?: string,
): AdminAccess {
  return decideAdminAccess({ remoteAddress, headers, token });
}

test("[GRD40] every combination of connection, Host, Origin and forwarding header", () => {
  let allowedCount = 0;
  for (const [remote, isLocal] of REMOTES)
    for (const [host, isLoopbackHost] of HOSTS)
      for (const [origin, isSame] of ORIGINS)
        for (const [more, isDirect] of FORWARDING) {
          const expected = isLocal && isLoopbackHost && isSame && isDirect;
          const facts = JSON.stringify([remote, host, origin, more]);
          assert.equal(
            decide(remote, { host, origin, ...more }, TOKEN),
            expected ? "allowed" : "token-required",
            facts,
          );
          assert.equal(decide(remote, { host, origin, ...more }), expected ? "allowed" : "forbidden", facts);
          if (expected) allowedCount += 1;
        }
  assert.equal(allowedCount, 4 * 2 * 2 * 2);
});

const HOST_FORMS = [
  ["localhost", true],
  ["localhost.", true],
  ["localhost.:8080", true],
  ["127.0.0.1", true],
  ["127.0.0.1:1", true],
  ["127.1.2.3", true],
  ["[::1]", true],
  ["[::1]:8080", true],
  ["[0:0:0:0:0:0:0:1]:8080", true],
  ["[::ffff:127.0.0.1]:8080", true],
  ["::1", false],
  ["[::2]", false],
  ["[::1", false],
  ["0.0.0.0", false],
  ["127.1", false],
  ["2130706433", false],
  ["0x7f.0.0.1", false],
  ["localhost..", false],
  ["localhost:port", false],
  ["localhost:8080:8080", false],
  ["127.0.0.1.evil.example", false],
  ["evil.example@localhost", false],
  ["localhost/evil", false],
  ["localhost evil", false],
  ["a.localhost", false],
  ["", false],
] as const;

for (const [host, good] of HOST_FORMS) {
  test(`[GRD40] Host ${JSON.stringify(host)} ${good ? "is" : "is not"} plainly this machine`, () => {
    assert.equal(decide("127.0.0.1", { host }), good ? "allowed" : "forbidden");
  });
}

const OWN_ORIGINS = [
  ["[::1]:8080", "http://[::1]:8080", true],
  ["localhost", "http://localhost", true],
  ["localhost", "https://localhost", true],
  ["localhost:443", "https://localhost", true],
  ["localhost:80", "https://localhost", false],
  ["localhost:8080", "http://127.0.0.1:8080", false],
  ["127.0.0.1:8080", "http://127.0.0.1:8080", true],
  ["localhost:8080", "ftp://localhost:8080", false],
  ["localhost:8080", "http://localhost:8080.evil.example", false],
] as const;

for (const [host, origin, good] of OWN_ORIGINS) {
  test(`[GRD40] a page of ${origin} ${good ? "may" : "may not"} call ${host}`, () => {
    assert.equal(decide("127.0.0.1", { host, origin }), good ? "allowed" : "forbidden");
  });
}

test("[GRD41] a right token opens from everywhere, a wrong one is told from none", () => {
  const far = { host: "media.example", origin: "https://evil.example", "x-forwarded-for": "1.2.3.4" };
  assert.equal(decide("10.0.0.1", { ...far, authorization: `Bearer ${TOKEN}` }, TOKEN), "allowed");
  assert.equal(decide("10.0.0.1", { ...far, authorization: `bearer ${TOKEN}` }, TOKEN), "allowed");
  assert.equal(decide("10.0.0.1", { ...far, authorization: `Bearer ${TOKEN}x` }, TOKEN), "token-wrong");
  assert.equal(decide("10.0.0.1", { ...far, authorization: `Basic ${TOKEN}` }, TOKEN), "token-required");
  assert.equal(decide("10.0.0.1", far, TOKEN), "token-required");
  assert.equal(decideAdminAccess({ remoteAddress: "10.0.0.1", headers: far, token: TOKEN, shown: TOKEN }), "allowed");
});

test("[GRD41] only a Bearer header holds a token", () => {
  const table = [
    ["Bearer x", "x"],
    ["Bearer  x ", "x"],
    ["Bearer", undefined],
    ["Bearer a b", undefined],
    ["Basic x", undefined],
    [undefined, undefined],
    [["Bearer x"], undefined],
  ] as const;
  for (const [header, token] of table) assert.equal(bearerOf(header), token);
});

test("[GRD42] without a configured token no token opens", () => {
  const headers = { host: "media.example", authorization: "Bearer undefined" };
  assert.equal(decide("10.0.0.1", headers), "forbidden");
  assert.equal(decideAdminAccess({ remoteAddress: "10.0.0.1", headers, token: undefined, shown: "" }), "forbidden");
});

test("[GRD42] the HTTP form answers 401 where a token would help and 403 where none does", () => {
  const stranger = { address: "10.0.0.1", headers: { host: "media.example" }, token: undefined };
  const statusOf = (configured: string | undefined, token: string | undefined) => {
    const verdict = adminVerdicts(() => configured)({ ...stranger, token });
    return verdict === "allowed" ? 200 : verdict.status;
  };
  assert.deepEqual(
    [statusOf(TOKEN, undefined), statusOf(TOKEN, "no"), statusOf(TOKEN, TOKEN), statusOf(undefined, TOKEN)],
    [401, 401, 200, 403],
  );
});

/** Who may use the admin interface: the whole table, rebinding, proxies and foreign pages included. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMIN_REFUSALS, adminAccess, type AdminCaller } from "@sluice/server/admin/admin-access";
import { bearerOf } from "@sluice/server/auth/credentials";

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

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a program says: an HTTP/1.1 request for a path. */
const PROGRAM = { httpVersion: "1.1", target: "/api/v1/streams", token: undefined };

function rawOf(headers: Headers): string[] {
  return Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().flatMap((value) => [name, value]));
}

type Word = "allowed" | keyof typeof ADMIN_REFUSALS;

/** The verdict in one word. */
function judged(caller: AdminCaller, configured: string | undefined): Word | undefined {
  const verdict = adminAccess(() => configured)(caller);
  if (verdict === "allowed") return verdict;
  return (Object.keys(ADMIN_REFUSALS) as (keyof typeof ADMIN_REFUSALS)[]).find((w) => ADMIN_REFUSALS[w] === verdict);
}

/** Without a configured token. */
function decide(remoteAddress: string | undefined, headers: Headers, more: object = {}): Word | undefined {
  return judged({ ...PROGRAM, remoteAddress, rawHeaders: rawOf(headers), ...more }, undefined);
}

test("[GRD40] every combination of connection, Host, Origin and forwarding header", () => {
  let allowedCount = 0;
  for (const [remote, isLocal] of REMOTES)
    for (const [host, isLoopbackHost] of HOSTS)
      for (const [origin, isSame] of ORIGINS)
        for (const [more, isDirect] of FORWARDING) {
          const headers = { host, origin, ...more };
          const expected = isLoopbackHost && isSame && isDirect ? "allowed" : "indirect";
          const facts = JSON.stringify([remote, headers]);
          assert.equal(decide(remote, headers), isLocal ? expected : "remote", facts);
          const call = { ...PROGRAM, remoteAddress: remote, rawHeaders: rawOf(headers) };
          assert.equal(judged(call, TOKEN), "token-required", facts);
          if (isLocal && expected === "allowed") allowedCount += 1;
        }
  assert.equal(allowedCount, 4 * 2 * 2 * 2);
});

const LOCAL = { host: "localhost:8080" };
const PROXIES: readonly (readonly [says: string, headers: Headers, more?: object])[] = [
  ["nginx as it comes", { host: "127.0.0.1:8080", connection: "close" }, { httpVersion: "1.0" }],
  ["a version that no plain program speaks here", LOCAL, { httpVersion: "2.0" }],
  ["a header in another spelling", { ...LOCAL, X_Forwarded_For: "127.0.0.1" }],
  ["a proxy that sends the whole URL", LOCAL, { target: "http://localhost:8080/api/v1/streams" }],
  ["a target that is no path", LOCAL, { target: "*" }],
  ["two hosts", { Host: ["localhost:8080", "media.example"] }],
  ["two hosts in two spellings", { Host: "localhost:8080", host: "localhost:8080" }],
  ["no host", {}],
  ["a header in capitals", { ...LOCAL, "X-FORWARDED-FOR": "127.0.0.1" }],
  ...["X-Real-IP", "True-Client-IP", "X-Client-IP", "Fly-Client-IP", "CF-Ray", "X-Amzn-Trace-Id", "CDN-Loop"].map(
    (name) => [name, { ...LOCAL, [name]: "127.0.0.1" }] as const,
  ),
  ...["X-Forwarded-Proto", "X-Forwarded", "X-Original-URL", "X-Envoy-Attempt-Count", "Proxy-Connection"].map(
    (name) => [name, { ...LOCAL, [name]: "" }] as const,
  ),
];

for (const [says, headers, more] of PROXIES) {
  test(`[GRD154] what a proxy says is not this machine's own call: ${says}`, () => {
    assert.equal(decide("127.0.0.1", headers, more), "indirect");
    assert.equal(decide("::1", headers, more), "indirect");
  });
}

const BROWSERS: readonly (readonly [says: string, headers: Headers, expected: Word])[] = [
  ["the console's own", { "sec-fetch-site": "same-origin" }, "allowed"],
  ["what was typed", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, "allowed"],
  ["the console's own, with its address", { referer: "http://localhost:8080/console/" }, "allowed"],
  ["another site's", { "sec-fetch-site": "cross-site" }, "indirect"],
  ["another port's", { "sec-fetch-site": "same-site" }, "indirect"],
  ["another site's, told twice", { "sec-fetch-site": ["same-origin", "cross-site"] }, "indirect"],
  ["another site's, in an odd spelling", { "sec-fetch-site": "Same-Origin" }, "indirect"],
  ["another site's picture", { referer: "https://evil.example/" }, "indirect"],
  ["another port's page", { referer: "http://localhost:3000/" }, "indirect"],
  ["two origins", { origin: ["http://localhost:8080", "https://evil.example"] }, "indirect"],
];

for (const [says, headers, expected] of BROWSERS) {
  test(`[GRD155] a browser's request without a token: ${says} is ${expected}`, () => {
    assert.equal(decide("127.0.0.1", { ...LOCAL, ...headers }), expected);
  });
}

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
    assert.equal(decide("127.0.0.1", { host }), good ? "allowed" : "indirect");
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
    assert.equal(decide("127.0.0.1", { host, origin }), good ? "allowed" : "indirect");
  });
}

test("[GRD41] a right token opens from everywhere, a wrong one is told from none, and here one is needed, too", () => {
  const far = { host: "media.example", origin: "https://evil.example", "x-forwarded-for": "1.2.3.4" };
  const asked = (remoteAddress: string, headers: Headers, token: string | undefined): Word | undefined =>
    judged({ ...PROGRAM, remoteAddress, rawHeaders: rawOf(headers), token }, TOKEN);
  for (const [address, headers] of [
    ["10.0.0.1", far],
    ["127.0.0.1", LOCAL],
  ] as const) {
    assert.equal(asked(address, headers, TOKEN), "allowed");
    assert.equal(asked(address, headers, `${TOKEN}x`), "token-wrong");
    assert.equal(asked(address, headers, ""), "token-wrong");
    assert.equal(asked(address, headers, undefined), "token-required");
  }
});

test("[GRD41] only a Bearer header holds a token", () => {
  const table = [
    ["Bearer x", "x"],
    ["Bearer  x ", "x"],
    ["Bearer", undefined],
    ["Bearer a b ", "a b"],
    ["Basic x", undefined],
    [undefined, undefined],
  ] as const;
  for (const [header, token] of table) assert.equal(bearerOf(header), token);
});

test("[GRD42] without a configured token no token opens", () => {
  assert.equal(decide("10.0.0.1", LOCAL, { token: "undefined" }), "remote");
  assert.equal(decide("10.0.0.1", LOCAL, { token: "" }), "remote");
});

test("[GRD42] the HTTP form answers 401 where a token would help and 403 where none does", () => {
  const stranger = { ...PROGRAM, remoteAddress: "10.0.0.1", rawHeaders: ["Host", "media.example"] };
  const statusOf = (configured: string | undefined, token: string | undefined) => {
    const verdict = adminAccess(() => configured)({ ...stranger, token });
    return verdict === "allowed" ? 200 : verdict.status;
  };
  assert.deepEqual(
    [statusOf(TOKEN, undefined), statusOf(TOKEN, "no"), statusOf(TOKEN, TOKEN), statusOf(undefined, TOKEN)],
    [401, 401, 200, 403],
  );
  const proxied = adminAccess(() => undefined)({ ...stranger, remoteAddress: "127.0.0.1" });
  assert.match(JSON.stringify(proxied), /403.*through a proxy, or from a page of another site/);
});

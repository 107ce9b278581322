/** What holds between keys, in the files they name, and in what is rendered from their declarations. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { ConfigError } from "@sluice/server/config/config-error";
import { printEffective } from "@sluice/server/config/effective";
import { KEYS } from "@sluice/server/config/keys";
import { loadConfig } from "@sluice/server/config/load-config";
import { renderSample } from "@sluice/server/config/render-sample";
import { TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

const pemOf = (pair: { readonly publicKey: KeyObject }): string =>
  pair.publicKey.export({ type: "spki", format: "pem" }) as string;

const FILES: Readonly<Record<string, string>> = {
  "/t/cert": TEST_CERT,
  "/t/key": TEST_KEY,
  "/t/other-key": generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string,
  "/t/secret": "\n0123456789abcdef\n",
  "/t/short": "short",
  "/t/p256.pem": pemOf(generateKeyPairSync("ec", { namedCurve: "prime256v1" })),
  "/t/p384.pem": pemOf(generateKeyPairSync("ec", { namedCurve: "secp384r1" })),
  "/t/ed.pem": pemOf(generateKeyPairSync("ed25519")),
  "/t/rsa.pem": pemOf(generateKeyPairSync("rsa", { modulusLength: 2_048 })),
  "/t/rsa-weak.pem": pemOf(generateKeyPairSync("rsa", { modulusLength: 1_024 })),
  "/t/jwks": JSON.stringify({ keys: [generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" })] }),
  "/t/jwks-empty": '{"keys":[]}',
  "/t/jwks-oct": '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}',
};

function load(...sets: string[]) {
  const readFile = (path: string): string => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: "ENOENT" });
    return text;
  };
  return loadConfig({ sets, env: {}, cwd: "/t", hostname: "box", readFile });
}

const SECRET = "0123456789abcdef";

interface Row {
  readonly rule: string;
  readonly sets: readonly string[];
  /** Paths of the problems; none when all is well. */
  readonly wrong: readonly string[];
}

const ROWS: readonly Row[] = [
  { rule: "CFG21", sets: ["tls.cert=cert"], wrong: ["tls.key"] },
  { rule: "CFG21", sets: ["tls.key=key"], wrong: ["tls.cert"] },
  { rule: "CFG21", sets: ["tls.cert=cert", "tls.key=key", "rtmps.port=0", "https.port=0"], wrong: [] },
  { rule: "CFG21", sets: ["tls.cert=cert", "tls.key=other-key"], wrong: ["tls.key"] },
  { rule: "CFG21", sets: ["tls.cert=key", "tls.key=cert"], wrong: ["tls.cert", "tls.key"] },
  { rule: "CFG21", sets: ["tls.cert=nowhere", "tls.key=key"], wrong: ["tls.cert"] },
  { rule: "CFG21", sets: ["rtmps.port=1936", "https.port=8443"], wrong: ["rtmps.port", "https.port"] },
  { rule: "CFG22", sets: ["http.port=1935"], wrong: ["http.port"] },
  { rule: "CFG22", sets: ["http.port=0", "rtmp.port=0"], wrong: [] },
  { rule: "CFG22", sets: ["http.port=off", "rtmp.port=off"], wrong: ["http.port"] },
  { rule: "CFG22", sets: ["http.port=off"], wrong: [] },
  { rule: "CFG23", sets: ["auth.publish=jwt"], wrong: ["auth.publish"] },
  { rule: "CFG23", sets: ["auth.publish=jwt", `auth.jwt.secret=${SECRET}`], wrong: [] },
  { rule: "CFG23", sets: ["auth.play=signed"], wrong: ["auth.play"] },
  {
    rule: "CFG23",
    sets: ["auth.play=jwt,signed", `auth.signed.secret=${SECRET}`, "auth.jwt.jwksFile=jwks"],
    wrong: [],
  },
  { rule: "CFG23", sets: ["auth.play=hook"], wrong: ["auth.play"] },
  { rule: "CFG23", sets: ["auth.play=hook", "auth.hooks.play=http://127.0.0.1/"], wrong: [] },
  { rule: "CFG23", sets: ["auth.hooks.publish=http://127.0.0.1/"], wrong: ["auth.hooks.publish"] },
  { rule: "CFG23", sets: ["auth.hooks.publish=http://127.0.0.1/", "applications.live.auth.publish=hook"], wrong: [] },
  { rule: "CFG23", sets: ["auth.publish=open,hook", "auth.hooks.publish=http://127.0.0.1/"], wrong: ["auth.publish"] },
  { rule: "CFG23", sets: ["applications.live.auth.play=jwt"], wrong: ["applications.live.auth.play"] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=p256.pem"], wrong: [] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=ed.pem"], wrong: [] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=rsa.pem"], wrong: [] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=rsa-weak.pem"], wrong: ["auth.jwt.publicKeyFile"] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=p384.pem"], wrong: ["auth.jwt.publicKeyFile"] },
  { rule: "CFG23", sets: ["auth.jwt.publicKeyFile=secret"], wrong: ["auth.jwt.publicKeyFile"] },
  { rule: "CFG23", sets: ["auth.jwt.jwksFile=jwks-empty"], wrong: ["auth.jwt.jwksFile"] },
  { rule: "CFG23", sets: ["auth.jwt.jwksFile=jwks-oct"], wrong: ["auth.jwt.jwksFile"] },
  { rule: "CFG23", sets: ["auth.jwt.jwksFile=secret"], wrong: ["auth.jwt.jwksFile"] },
  { rule: "CFG24", sets: [`admin.token=${SECRET}`, "admin.tokenFile=secret"], wrong: ["admin.token"] },
  { rule: "CFG24", sets: ["admin.token=short"], wrong: ["admin.token"] },
  { rule: "CFG24", sets: ["admin.tokenFile=short"], wrong: ["admin.tokenFile"] },
  { rule: "CFG24", sets: ["auth.jwt.secretFile=nowhere"], wrong: ["auth.jwt.secretFile"] },
];

for (const { rule, sets, wrong } of ROWS) {
  test(`[${rule}] ${sets.join(" ")} → ${wrong.join(", ") || "good"}`, () => {
    const found: string[] = [];
    try {
      load(...sets);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      found.push(...error.problems.map(({ path }) => path));
    }
    assert.deepEqual(found, wrong);
  });
}

test("[CFG24] secrets come out of their files without the line breaks around them", () => {
  const { secrets } = load("admin.tokenFile=secret", "auth.signed.secretFile=secret", `auth.jwt.secret=${SECRET}x`);
  assert.deepEqual([secrets.adminToken, secrets.signedSecret, secrets.jwtSecret], [SECRET, SECRET, `${SECRET}x`]);
});

test("[CFG26] the sample changes nothing, and its values uncommented are the defaults", () => {
  const plain = loadConfig({ env: {}, cwd: "/t", hostname: "box", file: "none" });
  const valuesOf = (text: string) =>
    loadConfig({ env: {}, cwd: "/t", hostname: "box", readFile: () => text }).entries.map(({ path, value }) => [
      path,
      value,
    ]);
  const expected = plain.entries.map(({ path, value }) => [path, value]);
  assert.deepEqual(valuesOf(renderSample()), expected);
  const names = new Set([...KEYS.keys()].map((path) => path.split(".").at(-1)));
  const isValue = (line: string) => names.has(/^ +# (\w+): \S/.exec(line)?.[1] ?? "");
  const uncommented = renderSample()
    .split("\n")
    .map((line) => (isValue(line) ? line.replace("# ", "") : line));
  assert.ok(uncommented.filter((line) => /^ +\w+: \S/.test(line)).length > 50);
  assert.deepEqual(valuesOf(uncommented.join("\n")), expected);
});

test("[CFG27] what is printed can be used again, and shows no secret", () => {
  const config = load(
    `admin.token=${SECRET}`,
    "rtmp.port=7",
    "applications.live.grace.windowMs=90s",
    "auth.address.deny=10.0.0.0/8,::1",
  );
  const printed = printEffective(config);
  assert.ok(!printed.includes(SECRET));
  assert.match(printed, /^rtmp\.port: 7 +# --set$/m);
  assert.match(printed, /^# admin\.token: \(secret\) +# --set$/m);
  const again = loadConfig({ env: {}, cwd: "/elsewhere", hostname: "other", readFile: () => printed });
  const valuesOf = (entries: typeof config.entries) =>
    new Map(entries.filter(({ path }) => path !== "admin.token").map(({ path, value }) => [path, value]));
  assert.deepEqual(valuesOf(again.entries), valuesOf(config.entries));
});

test("[CFG150] a hook's URL is printed without what could open something in it", () => {
  const hooks = [
    ["http://127.0.0.1:3000/media", "http://127.0.0.1:3000/media"],
    ["http://127.0.0.1:3000/media?key=hush", "http://127.0.0.1:3000/media?…"],
    ["https://hooks.example/T0/0123456789abcdef/x", "https://hooks.example/T0/…/x"],
    ["https://hooks.example/#hush", "https://hooks.example/?…"],
  ] as const;
  for (const [written, shown] of hooks) {
    const printed = printEffective(load("auth.publish=hook", `auth.hooks.publish=${written}`));
    const line = printed.split("\n").find((one) => one.includes("auth.hooks.publish:")) ?? "";
    assert.ok(line.includes(shown), line);
    assert.equal(line.startsWith("#"), written !== shown, "what is not whole cannot be used again");
    assert.doesNotMatch(line, /hush|abcdef/);
  }
});

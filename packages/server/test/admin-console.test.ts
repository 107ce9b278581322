/** The console's files: what is served, how long it is kept, and what is not served. */
import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fakeAdmin } from "./admin-fakes.ts";

const parent = mkdtempSync(join(tmpdir(), "sluice-console-"));
const consoleDir = join(parent, "dist");
mkdirSync(join(consoleDir, "assets"), { recursive: true });
writeFileSync(join(parent, "secret.txt"), "secret");
writeFileSync(join(consoleDir, "index.html"), "<!doctype html><title>Console</title>");
writeFileSync(join(consoleDir, "favicon.svg"), "<svg/>");
writeFileSync(join(consoleDir, ".env"), "secret");
writeFileSync(join(consoleDir, "assets", "index-1a2b.js"), "export {};");
after(() => rmSync(parent, { recursive: true }));

test("[ADM30] the page has a policy and is asked for again each time", async () => {
  const { app } = fakeAdmin({ consoleDir });
  for (const url of ["/console/", "/console/index.html"]) {
    const answer = await app.inject(url);
    assert.equal(answer.statusCode, 200, answer.body);
    assert.match(answer.body, /<title>Console/);
    assert.equal(answer.headers["cache-control"], "no-cache");
    const policy = String(answer.headers["content-security-policy"]);
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
  }
  const again = await app.inject({
    url: "/console/",
    headers: { "if-none-match": String((await app.inject("/console/")).headers.etag) },
  });
  assert.equal(again.statusCode, 304);
});

test("[ADM30] assets are kept for ever, other files are not", async () => {
  const { app } = fakeAdmin({ consoleDir });
  const script = await app.inject("/console/assets/index-1a2b.js");
  assert.equal(script.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.match(String(script.headers["content-type"]), /javascript/);
  assert.equal(script.headers["x-content-type-options"], "nosniff");
  assert.equal((await app.inject("/console/favicon.svg")).headers["cache-control"], "no-cache");
  assert.equal((await app.inject({ method: "HEAD", url: "/console/" })).statusCode, 200);
});

test("[ADM31] nothing else is served", async () => {
  const { app } = fakeAdmin({ consoleDir });
  const paths = [
    "../secret.txt",
    "%2e%2e/secret.txt",
    "..%2fsecret.txt",
    "assets/../../secret.txt",
    ".env",
    "assets",
    "assets/",
    "nothing.js",
    "%00",
  ];
  for (const path of paths) {
    const answer = await app.inject(`/console/${path}`);
    assert.ok([400, 403, 404].includes(answer.statusCode), `${path}: ${answer.statusCode}`);
    assert.doesNotMatch(answer.body, /^secret/, path);
    assert.equal(typeof answer.json().error.code, "string", path);
    assert.notEqual(answer.headers["cache-control"], "public, max-age=31536000, immutable", path);
  }
});

test("[ADM32] a console that is not built says how to build it", async () => {
  for (const directory of [undefined, join(parent, "nowhere")]) {
    const { app } = fakeAdmin({ consoleDir: directory });
    const answer = await app.inject("/console/");
    assert.equal(answer.statusCode, 404);
    assert.match(answer.body, /^The console is not built\. Build it with/);
    assert.equal((await app.inject("/console/assets/x.js")).statusCode, 404);
  }
});

/** The demo pages: who may have them, what the ball's page is told, and what is not served. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fakeAdmin, TOKEN, tokenOnly } from "./admin-fakes.ts";

const consoleDir = mkdtempSync(join(tmpdir(), "sluice-demo-"));
mkdirSync(join(consoleDir, "demo", "assets"), { recursive: true });
writeFileSync(join(consoleDir, "index.html"), "console");
writeFileSync(join(consoleDir, "demo", "ball.html"), "<!doctype html><title>The ball</title>");
writeFileSync(join(consoleDir, "demo", "assets", "ball-1a2b.js"), "export {};");
after(() => rmSync(consoleDir, { recursive: true }));

test("[ADM348] the ball is there for all, with the policy of the console's pages", async () => {
  const { app } = fakeAdmin({ consoleDir, access: tokenOnly });
  const page = await app.inject("/demo/ball");
  assert.equal(page.statusCode, 200, page.body);
  assert.match(page.body, /The ball/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'self'.*frame-ancestors 'none'/);
  assert.equal(page.headers["cache-control"], "no-cache");
  const script = await app.inject("/demo/assets/ball-1a2b.js");
  assert.match(String(script.headers["cache-control"]), /immutable/);
  assert.equal((await app.inject("/demo")).headers.location, "/demo/ball");
  for (const path of ["assets/../../index.html", "assets/..%2f..%2findex.html", "ball.html", "assets/none.js", ""])
    assert.equal((await app.inject(`/demo/${path}`)).statusCode, 404, path);
  assert.equal((await app.inject({ method: "POST", url: "/demo/ball" })).statusCode, 405);
});

test("[ADM349] strangers are told of node and home alone, those who may see the API of other nodes and what to run", async () => {
  const { app } = fakeAdmin({ consoleDir, access: tokenOnly });
  const about = async (headers: Record<string, string>) =>
    (await app.inject({ url: "/demo/ball/about", headers })).json<object>();
  const told = { node: "n1", home: "n1", standby: null };
  assert.deepEqual(await about({}), { ...told, others: [], commands: null });
  assert.deepEqual(await about({ authorization: `Bearer ${TOKEN}` }), {
    ...told,
    others: [{ id: "n2", address: "192.0.2.7:8080" }],
    commands: [],
  });
});

test("[ADM348] where shared objects are off, or nothing is built, there is no ball, and it says why", async () => {
  const { app, source } = fakeAdmin({ consoleDir });
  source.demo.isOpen = false;
  for (const url of ["/demo/ball", "/demo/ball/about", "/demo/assets/ball-1a2b.js"]) {
    const answer = await app.inject(url);
    assert.equal(answer.statusCode, 404, url);
    assert.match(answer.body, /Shared objects are off/);
  }
  const bare = fakeAdmin({ consoleDir: undefined });
  assert.match((await bare.app.inject("/demo/ball")).body, /not built/);
});

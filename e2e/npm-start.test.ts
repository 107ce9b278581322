/** `npm start` as a service manager meets it: the signal goes to npm, and must reach the server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { portsOf, ROOT } from "./support/server.ts";

/** A checkout that changed since the last start is built first. */
const BUILD_MILLIS = 120_000;

test("SIGTERM to npm start ends the server in good order, and npm with 0", async () => {
  const env = { SLUICE_RTMP_PORT: "0", SLUICE_HTTP_PORT: "0", SLUICE_LISTEN_HOST: "127.0.0.1" };
  await using npm = startChild(["npm", "start"], { cwd: ROOT, env });
  const ready = await npm.waitForEvent("ready", BUILD_MILLIS);
  const health = `http://127.0.0.1:${portsOf(ready)["http"]}/healthz`;
  assert.equal((await fetch(health)).status, 200);
  npm.kill("SIGTERM");
  assert.deepEqual(await npm.exited, { code: 0, signal: null }, npm.output("stderr"));
  assert.match(npm.output("stderr"), /Stopped/);
  await assert.rejects(fetch(health));
});

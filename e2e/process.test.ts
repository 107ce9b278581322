/** The server as a process: its ready line, its ports, its end, and the script that starts it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp } from "./support/flv-viewer.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { MAIN, portsOf, ROOT, startServer } from "./support/server.ts";
import { codedFrames, readFlvFile } from "./support/units.ts";

const NODE = process.execPath;
const LOOPBACK = ["--config", "none", "--set", "listen.host=127.0.0.1"];
const FREE_PORTS = [...LOOPBACK, "--set", "rtmp.port=0", "--set", "http.port=0"];

test("the ready line is one JSON object on standard output, and all else is on standard error", async () => {
  await using child = startChild([NODE, MAIN, "serve", ...FREE_PORTS, "--set", "node.id=alpha"]);
  const ready = await child.waitForEvent("ready");
  assert.equal(ready["node"], "alpha");
  assert.equal(ready["pid"], child.pid);
  const { rtmp = 0, http = 0 } = portsOf(ready);
  assert.ok(rtmp > 0 && http > 0 && rtmp !== http);
  assert.equal((await fetch(`http://127.0.0.1:${http}/readyz`)).status, 200);
  assert.equal(child.output("stdout").split("\n").length, 1);
  assert.match(child.output("stderr"), /may publish and play/);
});

test("SIGTERM drains: publishers and viewers are told, and the process exits with 0", async () => {
  await using server = await startServer({ set: ["shutdown.timeout=1s"] });
  using folder = new WorkFolder();
  const units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 2 }));
  await using player = await connectPeer({ port: server.port(), app: "live" });
  player.play("cam");
  await using publisher = await connectPeer({ port: server.port(), app: "live" });
  await publisher.publish("cam");
  await publisher.sendAll(units);
  await using web = await watchHttp(server.http("/live/cam.flv"));
  await web.heardUnits(20);
  const startedAt = performance.now();
  server.child.kill("SIGTERM");
  const { code, signal } = await server.child.exited;
  assert.deepEqual([code, signal], [0, null]);
  assert.ok(performance.now() - startedAt < 6_000, "within its time");
  await Promise.all([player.closed, publisher.closed, web.ended]);
  assert.deepEqual(codedFrames(player.units), codedFrames(units), "what was sent before arrived");
});

test("a server without sessions stops at once, and a second signal ends a slow drain", async () => {
  await using idle = await startServer();
  const startedAt = performance.now();
  idle.child.kill("SIGINT");
  assert.equal((await idle.child.exited).code, 0);
  assert.ok(performance.now() - startedAt < 5_000);
  await using busy = await startServer({ set: ["shutdown.timeout=30s"] });
  await using publisher = await connectPeer({ port: busy.port(), app: "live" });
  await publisher.publish("cam");
  await using player = await connectPeer({ port: busy.port(), app: "live", connect: { capsEx: 1 } });
  player.play("cam");
  await busy.viewers("live/cam", 1);
  busy.child.kill("SIGTERM");
  await player.heard("to connect elsewhere", (event) => (event.type === "reconnect-request" ? true : undefined));
  assert.deepEqual([player.isClosed, publisher.isClosed], [false, false], "everybody is given time");
  busy.child.kill("SIGTERM");
  assert.equal((await busy.child.exited).code, 128 + 15);
});

test("two servers run side by side and know nothing of each other's streams", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using publisher = await connectPeer({ port: one.port(), app: "live" });
  await publisher.publish("cam");
  assert.equal((await one.streams()).length, 1);
  assert.deepEqual(await two.streams(), []);
  await using same = await connectPeer({ port: two.port(), app: "live" });
  await same.publish("cam");
});

test("--instance moves every default port, and a node of its own answers there", async () => {
  const instance = await freeInstance();
  await using child = startChild([NODE, MAIN, "serve", ...LOOPBACK, "--instance", `${instance}`]);
  const ports = portsOf(await child.waitForEvent("ready"));
  assert.deepEqual([ports["rtmp"], ports["http"]], [1935 + instance, 8080 + instance]);
});

/** A number whose two ports nobody has. */
async function freeInstance(): Promise<number> {
  for (let instance = 100 + (process.pid % 800); instance < 1_000; instance++)
    if ((await isFree(1935 + instance)) && (await isFree(8080 + instance))) return instance;
  throw new Error("Cannot find a free instance: all ports are taken");
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

test("a port in use is told with its address, and the exit code is 1", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  await using child = startChild([
    NODE,
    MAIN,
    "serve",
    ...LOOPBACK,
    "--set",
    `rtmp.port=${port}`,
    "--set",
    "http.port=0",
  ]);
  assert.equal((await child.exited).code, 1);
  assert.match(
    child.output("stderr"),
    new RegExp(`UNAVAILABLE_LISTEN[^]*127\\.0\\.0\\.1:${port}|127\\.0\\.0\\.1:${port}[^]*UNAVAILABLE_LISTEN`),
  );
  assert.equal(child.output("stdout"), "");
  holder.close();
});

test("every wrong key is told at once, and the exit code is 2", async () => {
  await using child = startChild([NODE, MAIN, "serve", ...LOOPBACK, "--set", "rtmp.prot=1", "--set", "http.port=high"]);
  assert.equal((await child.exited).code, 2);
  assert.match(child.output("stderr"), /rtmp\.prot[^]*rtmp\.port/);
  assert.match(child.output("stderr"), /http\.port/);
});

test("./sluice started from another folder becomes the server itself", async () => {
  await using child = startChild([join(ROOT, "sluice"), "serve", ...FREE_PORTS], { cwd: tmpdir() });
  const ready = await child.waitForEvent("ready", 120_000);
  assert.equal(ready["pid"], child.pid);
  child.kill("SIGTERM");
  assert.equal((await child.exited).code, 0);
});

test("the test pattern plays without any other program", async () => {
  await using server = await startServer();
  const started = await fetch(server.http("/api/v1/test-patterns"), { method: "POST" });
  assert.equal(started.status, 201);
  const row = await server.stream("demo/test-pattern", ({ fps }) => fps > 0);
  assert.equal(row.publisher?.protocol, "internal");
  await using viewer = await watchHttp(server.http("/demo/test-pattern.flv"));
  await viewer.heardUnits(60);
  const stopped = await fetch(server.http("/api/v1/test-patterns/demo/test-pattern"), { method: "DELETE" });
  assert.equal(stopped.status, 204);
  await viewer.ended;
});

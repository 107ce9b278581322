/** Children say when they are ready, and are gone when the test is. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { duplexPair, readBytes } from "@sluice/testkit/duplex-pair";
import { freePort } from "@sluice/testkit/free-port";

const SERVER = `
  console.log("starting");
  console.log(JSON.stringify({ event: "ready", pid: process.pid }));
  setInterval(() => {}, 1000);
`;

test("waits for the ready event and stops the program", async () => {
  let pid = 0;
  {
    await using child = startChild([process.execPath, "-e", SERVER]);
    const ready = await child.waitForEvent("ready");
    assert.equal(ready["pid"], child.pid);
    pid = child.pid as number;
  }
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("a program that ignores SIGTERM is killed", async () => {
  await using child = startChild([process.execPath, "-e", `process.on("SIGTERM", () => {}); ${SERVER}`]);
  await child.waitForEvent("ready");
  assert.equal((await child.stop(100)).signal, "SIGKILL");
});

test("a program that ends first fails the wait with what it said", async () => {
  await using child = startChild([process.execPath, "-e", "console.error('no such file'); process.exit(3)"]);
  await assert.rejects(child.waitForEvent("ready"), /it ended \(exit 3\); it said:\nno such file/);
});

test("waiting has an end", async () => {
  await using child = startChild([process.execPath, "-e", SERVER]);
  await assert.rejects(child.waitForEvent("never", 50), /waited too long/);
});

test("a program that is not there ends at once", async () => {
  await using child = startChild(["/nonexistent/program"]);
  assert.deepEqual(await child.exited, { code: null, signal: null });
});

test("a free port can be listened on", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  connect(port, "127.0.0.1").end();
  await new Promise<void>((resolve) =>
    server.once("connection", (socket) => server.close(() => resolve(socket.destroy() && undefined))),
  );
});

test("a duplex pair carries bytes both ways and pushes back when nobody reads", async () => {
  using pair = duplexPair({ bufferBytes: 4 });
  assert.equal(pair.near.write(new Uint8Array([1, 2, 3, 4, 5])), false);
  assert.deepEqual([...(await readBytes(pair.far, 5))], [1, 2, 3, 4, 5]);
  pair.far.write(new Uint8Array([9]));
  assert.deepEqual([...(await readBytes(pair.near, 1))], [9]);
  pair.far.end();
  await assert.rejects(readBytes(pair.near, 1), RangeError);
});

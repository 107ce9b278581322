/** What a captured connection leaves on disk can be read back by the test kit. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { captureConnection } from "@sluice/server/sessions/connection-capture";
import { SystemClock } from "@sluice/runtime/system-clock";
import { decodeCapture } from "@sluice/testkit/capture";

test("both directions and the end of a connection are in its file, in order", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-capture-"));
  t.after(() => rm(dir, { recursive: true }));
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    captureConnection(socket, { dir, protocol: "rtmp", clock: new SystemClock() });
    socket.on("data", () => {
      socket.write("answer");
      socket.end();
    });
    socket.on("close", () => setImmediate(closed.resolve));
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("question");
  client.resume();
  await Promise.all([once(client, "close"), closed.promise]);
  const [name = ""] = await readdir(dir);
  let capture = decodeCapture(await readFile(join(dir, name), "utf8"));
  while (!capture.entries.some((entry) => "end" in entry)) {
    await new Promise((resolve) => setImmediate(resolve));
    capture = decodeCapture(await readFile(join(dir, name), "utf8"));
  }
  const told = capture.entries.map((entry) =>
    "end" in entry ? `${entry.from} ${entry.end}` : `${entry.from}: ${Buffer.from(entry.bytes).toString()}`,
  );
  assert.deepEqual(told, ["peer: question", "us: answer", "peer closed"]);
  assert.equal(capture.header.protocol, "rtmp");
});

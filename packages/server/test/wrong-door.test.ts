/** Who knocks at the RTMP port with another protocol leaves one line in the log that says so, and no fault of ours. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import type { Log } from "@sluice/base/log";
import { runServer } from "@sluice/server/node/compose";
import { LiveConfig } from "@sluice/server/config/live-config";
import { loadConfig } from "@sluice/server/config/load-config";

const DOORS = [
  { says: "HTTP", bytes: Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), word: /HTTP/ },
  { says: "TLS", bytes: Buffer.from("160301020001", "hex"), word: /TLS/ },
  { says: "RTMPE", bytes: Buffer.concat([Buffer.of(6), Buffer.alloc(1536)]), word: /RTMPE|version 6/ },
];

for (const { says, bytes, word } of DOORS) {
  test(`[K3] ${says} on the RTMP port ends with one line in the log that names it`, async () => {
    const lines: { readonly level: string; readonly detail: unknown; readonly message: string }[] = [];
    const note =
      (level: string): Log["info"] =>
      (fields, message) =>
        void lines.push({ level, detail: fields["detail"], message });
    const log: Log = {
      debug() {},
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
      child: () => log,
    };
    const sets = ["rtmp.port=0", "http.port=0", "listen.host=127.0.0.1"];
    const config = loadConfig({ sets, env: {}, file: "none", hostname: "box" });
    const stopping = new AbortController();
    const ready = Promise.withResolvers<{ readonly listeners: Readonly<Record<string, string>> }>();
    const running = runServer(new LiveConfig(config), {
      log,
      stop: stopping.signal,
      ready: (line) => ready.resolve(line as never),
    });
    const { listeners } = await ready.promise;
    const socket = connect({ port: Number(listeners["rtmp"]?.split(":").at(-1)), host: "127.0.0.1" });
    socket.on("error", () => {}); // a reset is an answer too
    socket.resume();
    socket.write(bytes);
    await once(socket, "close");
    const ends = lines.filter(({ message }) => message === "Session closed");
    assert.deepEqual([ends.length, ends[0]?.level], [1, "info"]);
    assert.match(String(ends[0]?.detail), word);
    assert.deepEqual(
      lines.filter(({ level }) => level === "error"),
      [],
    );
    stopping.abort(new Error("stop"));
    await running;
  });
}

/** A changed configuration on a running server: the next decision follows it, and what runs goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "@sluice/server/config/load-config";
import { until } from "@sluice/testkit/until";
import {
  AVC_DELTA,
  LogRecorder,
  openPublisher,
  openServer,
  RtmpPeer,
  type RunningServer,
  sendGop,
  talk,
} from "./sessions-fixture.ts";

/** As SIGHUP would with a file that says so. */
function change(server: RunningServer, sets: readonly string[]): void {
  const base = ["rtmp.port=0", "http.port=0", "listen.host=127.0.0.1", "shutdown.timeout=2s"];
  server.settings.replace(loadConfig({ sets: [...base, ...sets], env: {}, file: "none", hostname: "box" }));
}

const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

test("[CFG186] guard, limits, policies and origins follow a change; who publishes and plays goes on", async () => {
  await using server = await openServer(["auth.signed.secret=0123456789abcdef"]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
  change(server, [
    "auth.signed.secret=0123456789abcdef",
    "auth.publish=signed",
    "auth.play=signed",
    "http.cors.origins=",
  ]);
  await using closed = new RtmpPeer(server.rtmpPort).publish("other").play("cam");
  await closed.status("NetStream.Publish.Denied");
  await closed.status("NetStream.Play.Failed");
  assert.match(await talk(server.httpPort, get("/live/cam.flv", "Origin: https://a.example\r\n")), /^HTTP\/1\.1 401 /);
  publisher.send("video", 120, AVC_DELTA);
  await until("frames after the change", () => player.media.some(({ timestamp }) => timestamp === 120));
  change(server, ["limits.publishers=1", "play.wait=0"]);
  await using second = new RtmpPeer(server.rtmpPort).publish("second").play("nowhere");
  await second.status("NetStream.Publish.Denied");
  await second.status("NetStream.Play.StreamNotFound");
  change(server, ["auth.address.deny=127.0.0.0/8"]);
  await using denied = new RtmpPeer(server.rtmpPort);
  await denied.closed;
  assert.equal(player.isClosed, false);
  change(server, []);
  await using last = await openPublisher(server.rtmpPort, "last");
  assert.equal(last.isClosed, false);
});

test("[GRD320] what a change opens to everybody is warned of as at start, once, with the keys that close it", async () => {
  const recorder = new LogRecorder();
  const secret = "auth.signed.secret=0123456789abcdef";
  const closed = [secret, "auth.publish=signed", "auth.play=signed"];
  await using server = await openServer(closed, recorder.log);
  const warned = (): string[] =>
    recorder.lines.flatMap(({ level, msg }) => (level === "warn" && msg.startsWith("Anybody") ? [msg] : []));
  const opens = (sets: readonly string[]): string[] => {
    const before = warned().length;
    change(server, sets);
    return warned()
      .slice(before)
      .map((msg) => msg.replace(/ to jwt.*/, ""));
  };
  assert.deepEqual(warned(), []);
  const publish = "Anybody who reaches this node may publish. To close it set auth.publish";
  assert.deepEqual(opens([secret, "auth.play=signed"]), [publish]);
  assert.deepEqual(opens([secret, "auth.play=signed", "limits.publishers=3"]), []);
  assert.deepEqual(opens([secret, "auth.play=signed", "applications.live.play.wait=1s"]), []);
  const play = 'Anybody who reaches this node may play under "live". To close it set applications.live.auth.play';
  assert.deepEqual(opens([...closed, "applications.live.auth.play=open"]), [play]);
  assert.deepEqual(opens(closed), []);
  assert.deepEqual(opens([secret, "auth.play=signed"]), [publish]);
});

test("[CFG186] the admin token follows a change", async () => {
  await using server = await openServer(["admin.token=0123456789abcdef"]);
  const status = async (token: string): Promise<string | undefined> => {
    const headers = `X-Forwarded-For: 10.0.0.1\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n`;
    return /^HTTP\/1\.1 (\d+)/.exec(await talk(server.httpPort, get("/api/v1/nodes", headers)))?.[1];
  };
  assert.equal(await status("0123456789abcdef"), "200");
  change(server, ["admin.token=fedcba9876543210"]);
  assert.deepEqual([await status("0123456789abcdef"), await status("fedcba9876543210")], ["401", "200"]);
});

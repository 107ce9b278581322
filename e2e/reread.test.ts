/** SIGHUP and a renewed certificate on a running server: nobody is disconnected, and everybody new gets the new. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { makeClip, run, WorkFolder } from "./support/clip.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { MAIN, portsOf, Server } from "./support/server.ts";
import { codedFrames, readFlvFile } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

/** As a certificate authority would issue it: a pair of its own, with a name of its own. */
function issue(folder: WorkFolder, name: string): void {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", folder.file(`${name}.key`), "-out", folder.file(`${name}.crt`)];
  run("openssl", ["req", "-x509", ...curve, ...files, "-days", "30", "-subj", `/CN=${name}.sluice.test`]);
}

/** What a renewal does: other contents under the same names. */
function install(folder: WorkFolder, name: string): void {
  copyFileSync(folder.file(`${name}.crt`), folder.file("live.crt"));
  copyFileSync(folder.file(`${name}.key`), folder.file("live.key"));
}

async function start(folder: WorkFolder, yaml: string): Promise<Server> {
  const file = folder.file("sluice.yaml");
  writeFileSync(file, yaml);
  const child = startChild([process.execPath, MAIN, "serve", "--config", file]);
  return new Server(child, portsOf(await child.waitForEvent("ready")));
}

async function dial(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket;
}

async function nameOn(port: number): Promise<string> {
  const socket = await dial(port);
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

const BASE = "listen.host: 127.0.0.1\nlog.format: json\nrtmp.port: 0\nhttp.port: 0\n";
const TLS = "rtmps.port: 0\nhttps.port: 0\ntls.cert: live.crt\ntls.key: live.key\n";

describe("a renewed certificate", () => {
  for (const [says, tell] of [
    ["after SIGHUP", (server: Server) => server.child.kill("SIGHUP")],
    ["by itself", () => {}],
  ] as const) {
    test(`reaches new connections over RTMPS and HTTPS ${says}, and present ones go on`, async () => {
      using folder = new WorkFolder();
      for (const name of ["first", "second"]) issue(folder, name);
      install(folder, "first");
      await using server = await start(folder, BASE + TLS);
      const ports = [server.port("rtmps"), server.port("https")] as const;
      assert.deepEqual(await Promise.all(ports.map(nameOn)), ["first.sluice.test", "first.sluice.test"]);
      await using publisher = await connectPeer({ port: ports[0], over: "tls", app: "live" });
      await publisher.publish("cam");
      const units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 1 }));
      await publisher.sendAll(units.slice(0, 30));
      await using player = await connectPeer({ port: ports[0], over: "tls", app: "live" });
      player.play("cam");
      const web = await dial(ports[1]);
      web.write("GET /live/cam.flv HTTP/1.1\r\nHost: a\r\n\r\n");
      await server.viewers("live/cam", 2);
      install(folder, "second");
      tell(server);
      for (const port of ports)
        await until("the new certificate", async () =>
          (await nameOn(port)) === "second.sluice.test" ? true : undefined,
        );
      await publisher.sendAll(units.slice(30));
      const sent = codedFrames(units).length;
      await until("every frame over old connections", () =>
        codedFrames(player.units).length >= sent ? true : undefined,
      );
      assert.deepEqual(codedFrames(player.units), codedFrames(units));
      assert.deepEqual([web.destroyed, player.isClosed, publisher.isClosed], [false, false, false]);
      web.destroy();
    });
  }

  test("that does not fit is told, and the old one stays", async () => {
    using folder = new WorkFolder();
    for (const name of ["first", "second"]) issue(folder, name);
    install(folder, "first");
    await using server = await start(folder, BASE + TLS);
    copyFileSync(folder.file("second.crt"), folder.file("live.crt"));
    server.child.kill("SIGHUP");
    const line = await server.child.waitForLine((text) => (text.includes("cannot be used") ? text : undefined));
    assert.match(line, /tls\.key: is not the key of the certificate/);
    assert.equal(await nameOn(server.port("https")), "first.sluice.test");
  });
});

test("SIGHUP rereads the file: what may change changes, what may not is named, mistakes change nothing", async () => {
  using folder = new WorkFolder();
  await using server = await start(folder, BASE);
  const heard = (text: string): Promise<string> =>
    server.child.waitForLine((line) => (line.includes(text) ? line : undefined));
  await using publisher = await connectPeer({ port: server.port(), app: "live" });
  await publisher.publish("cam");
  writeFileSync(
    folder.file("sluice.yaml"),
    `${BASE}auth.play: hook\nauth.hooks.play: http://127.0.0.1:9/\nnode.id: other\n`,
  );
  server.child.kill("SIGHUP");
  assert.match(await heard("cannot change while the node runs"), /"node\.id"/);
  assert.match(await heard("Configuration reread"), /"auth\.play"/);
  assert.equal((await fetch(server.http("/live/cam.flv"))).status, 403);
  writeFileSync(folder.file("sluice.yaml"), `${BASE}auth.pla: open\n`);
  server.child.kill("SIGHUP");
  assert.match(await heard("Configuration cannot be used"), /did you mean auth\.play/);
  assert.equal((await fetch(server.http("/live/cam.flv"))).status, 403);
  assert.equal(publisher.isClosed, false);
});

test("SIGHUP does not end a cache: it goes on, and its members' port has the renewed certificate", async () => {
  using folder = new WorkFolder();
  for (const name of ["first", "second"]) issue(folder, name);
  install(folder, "first");
  const port = await freePort();
  const options = ["--members", `n1=127.0.0.1:${port}`, "--resp", "127.0.0.1:0", "--dir", folder.file("data")];
  const tls = ["--tls-cert", folder.file("live.crt"), "--tls-key", folder.file("live.key"), "--log-format", "json"];
  await using cache = startChild([process.execPath, MAIN, "cache", ...options, ...tls]);
  await cache.waitForEvent("ready");
  assert.equal(await nameOn(port), "first.sluice.test");
  install(folder, "second");
  cache.kill("SIGHUP");
  await cache.waitForLine((line) => (line.includes("TLS certificate changed") ? true : undefined));
  assert.equal(await nameOn(port), "second.sluice.test");
});

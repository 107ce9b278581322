/** Peers that misbehave on the HTTP port, and RTMP over WebSocket: documented answers, and nobody else disturbed. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { type Bystander, BYSTANDER_SETS, startBystander } from "./support/bystander.ts";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { openRaw } from "./support/raw-peer.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertSameFrames, readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

let folder: WorkFolder;
let server: Server;
let units: Unit[];
let bystander: Bystander;

before(async () => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 4 }));
  const limits = ["limits.handshakeTimeout=700ms", "limits.requestHeaderBytes=8KiB", "limits.messageBytes=64KiB"];
  server = await startServer({ set: [...BYSTANDER_SETS, ...limits] });
  bystander = await startBystander(server, units);
});

after(async () => {
  await bystander.finish();
  await bystander[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(() => bystander.assertLives());

/** Writes a request as it stands and answers the status line and head. */
async function ask(
  request: string,
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  await using peer = await openRaw(server.port("http"));
  peer.write(request);
  await until("an answer", () => (peer.text.includes("\r\n\r\n") || peer.isClosed ? true : undefined));
  const [head = "", body = ""] = peer.text.split("\r\n\r\n", 2);
  return { status: Number(head.split(" ", 2)[1]), head, body };
}

const request = (method: string, path: string, ...headers: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${server.port("http")}`, ...headers, "", ""].join("\r\n");

describe("requests for streams", () => {
  const REFUSED = [
    { says: "nobody publishes", path: "/live/nobody.flv", status: 404 },
    { says: "path traversal", path: "/live/../../etc/passwd.flv", status: 404 },
    { says: "escaped path traversal", path: "/live/%2e%2e/%2e%2e/etc/passwd.flv", status: 404 },
    { says: "an escaped slash", path: "/live/a%2fb.flv", status: 404 },
    { says: "an escape that is none", path: "/live/%zz.flv", status: 404 },
    { says: "a control character", path: "/live/a%00b.flv", status: 404 },
    { says: "no name", path: "/.flv", status: 404 },
    { says: "a name too long", path: `/live/${"x".repeat(2_000)}.flv`, status: 404 },
    { says: "no such page", path: "/nothing/here", status: 404 },
    { says: "traversal out of the console", path: "/console/../../package.json", status: 404 },
    { says: "escaped traversal out of the console", path: "/console/%2e%2e/%2e%2e/package.json", status: 404 },
  ] as const;
  for (const { says, path, status } of REFUSED) {
    test(`${says}: ${status}, as JSON without a stack`, async () => {
      const answer = await ask(request("GET", path));
      assert.equal(answer.status, status, answer.head);
      assert.doesNotMatch(answer.body, /\bat \/|node:internal|"workspaces"/);
    });
  }

  test("HEAD tells whether a stream plays, and sends none of it", async () => {
    const playing = await ask(request("HEAD", "/by/bystander.flv"));
    assert.equal(playing.status, 200);
    assert.match(playing.head, /Content-Type: video\/x-flv/i);
    assert.equal(playing.body, "");
    assert.equal((await ask(request("HEAD", "/live/nobody.flv"))).status, 404);
  });

  test("OPTIONS and GET answer pages of any origin", async () => {
    const preflight = await ask(
      request("OPTIONS", "/by/bystander.flv", "Origin: https://example.org", "Access-Control-Request-Method: GET"),
    );
    assert.equal(preflight.status, 204);
    assert.match(preflight.head, /Access-Control-Allow-Origin: \*/i);
    assert.match(preflight.head, /Access-Control-Allow-Methods: GET, HEAD, OPTIONS/i);
    await using viewer = await watchHttp(server.http("/by/bystander.flv"));
    assert.equal(viewer.headers["access-control-allow-origin"], "*");
    assert.equal(viewer.headers["content-type"], "video/x-flv");
    assert.equal(viewer.headers["cache-control"], "no-store");
  });

  test("other methods are answered 405 with what is allowed", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await ask(request(method, "/by/bystander.flv", "Content-Length: 0"));
      assert.equal(answer.status, 405, method);
      assert.match(answer.head, /Allow: GET, HEAD, OPTIONS/i);
    }
  });
});

describe("requests that are none", () => {
  const BROKEN = [
    { says: "an unknown method", bytes: "BREW /by/bystander.flv HTTP/1.1\r\nHost: x\r\n\r\n", status: 400 },
    { says: "garbage", bytes: "\u0000\u0001\u0002\u0003\r\n\r\n", status: 400 },
    { says: "RTMP", bytes: `\u0003${"\u0000".repeat(1536)}`, status: 400 },
    {
      says: "a head over the limit",
      bytes: `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
      status: 431,
    },
    {
      says: "two lengths",
      bytes: "POST /api/v1/test-patterns HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}",
      status: 400,
    },
    {
      says: "length beside chunks",
      bytes:
        "POST /api/v1/test-patterns HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: 400,
    },
  ] as const;
  for (const { says, bytes, status } of BROKEN) {
    test(`${says}: ${status}, and the connection ends, counted`, async () => {
      const counted = (): Promise<number> => server.metric("sluice_http_bad_requests_total", `status="${status}"`);
      const before = await counted();
      await using peer = await openRaw(server.port("http"));
      peer.write(bytes);
      await peer.untilClosed();
      assert.match(peer.text, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(await counted(), before + 1);
    });
  }

  test("a request head that never ends, and a connection that never begins one, are cut off at the deadline", async () => {
    await using slow = await openRaw(server.port("http"));
    await using silent = await openRaw(server.port("http"));
    slow.write("GET /by/bystander.flv HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => slow.write("X"), 100);
    await Promise.all([slow.untilClosed(5_000), silent.untilClosed(5_000)]);
    clearInterval(drip);
    assert.match(slow.text, /^HTTP\/1.1 408 /);
  });
});

describe("WebSockets", () => {
  const upgrade = (path: string, ...headers: readonly string[]): string =>
    request(
      "GET",
      path,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ...headers,
    );

  test("without a subprotocol and without a stream: 400; for a stream that nobody publishes or can have: 404", async () => {
    assert.equal((await ask(upgrade("/live"))).status, 400);
    assert.equal((await ask(upgrade("/live", "Sec-WebSocket-Protocol: chat"))).status, 400);
    assert.equal((await ask(upgrade("/live/nobody.flv"))).status, 404);
    assert.equal((await ask(upgrade("/live/../x.flv"))).status, 404);
  });

  test("upgrades that contradict the protocol are refused", async () => {
    const bad = request(
      "GET",
      "/by/bystander.flv",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: short",
    );
    assert.equal((await ask(bad)).status, 400);
  });

  test("a viewer that sends more than it may is closed with 1009, and counted", async () => {
    const counted = (): Promise<number> =>
      server.metric("sluice_web_socket_errors_total", 'code="unsupported_message_length"');
    const before = await counted();
    const url = server.http("/by/bystander.flv").replace("http:", "ws:");
    const viewer = new WebSocket(url);
    await new Promise((resolve) => viewer.once("open", resolve));
    viewer.send(Buffer.alloc(10_000));
    assert.equal(await new Promise((resolve) => viewer.once("close", resolve)), 1009);
    assert.equal(await counted(), before + 1);
  });

  test("RTMP messages over the limit end their session", async () => {
    const peer = new WebSocket(`ws://127.0.0.1:${server.port("http")}/live`, "rtmp");
    await new Promise((resolve) => peer.once("open", resolve));
    peer.send(Buffer.alloc(1024 * 1024));
    assert.equal(await new Promise((resolve) => peer.once("close", resolve)), 1009);
  });

  test("garbage as RTMP over WebSocket ends the session and is counted", async () => {
    const before = await server.metric("sluice_wire_errors_total", 'code="WIRE_RTMP_VERSION"');
    const peer = new WebSocket(`ws://127.0.0.1:${server.port("http")}/live`, "rtmp");
    await new Promise((resolve) => peer.once("open", resolve));
    peer.send(Buffer.from("99999999", "hex"));
    await new Promise((resolve) => peer.once("close", resolve));
    assert.equal(await server.metric("sluice_wire_errors_total", 'code="WIRE_RTMP_VERSION"'), before + 1);
  });

  test("text frames, pings and fragments from a viewer do it no harm", async () => {
    const url = server.http("/by/bystander.flv").replace("http:", "ws:");
    await using viewer = await watchWebSocket(url);
    const talker = new WebSocket(url);
    await new Promise((resolve) => talker.once("open", resolve));
    talker.send("hello");
    talker.send("frag", { fin: false });
    talker.send("ment", { fin: true });
    talker.ping();
    await new Promise((resolve) => talker.once("pong", resolve));
    assert.equal(talker.readyState, WebSocket.OPEN);
    await viewer.heardUnits(20);
    talker.close();
    assert.ok([1000, 1005].includes(await new Promise<number>((resolve) => talker.once("close", resolve))));
  });

  test("RTMP over WebSocket publishes and plays, every frame", async () => {
    const port = server.port("http");
    await using viewer = await connectPeer({ port, over: "web-socket", app: "live" });
    viewer.play("woven");
    await server.viewers("live/woven", 1);
    await using plain = await connectPeer({ port: server.port(), app: "live" });
    plain.play("woven");
    await server.viewers("live/woven", 2);
    await using publisher = await connectPeer({ port, over: "web-socket", app: "live", chunkSize: 4_096 });
    await publisher.publish("woven");
    const row = await server.stream("live/woven", ({ state }) => state === "live");
    assert.equal(row.publisher?.protocol, "rtmp-ws");
    await publisher.sendAll(units);
    publisher.leave();
    await viewer.status("NetStream.Play.UnpublishNotify");
    await plain.status("NetStream.Play.UnpublishNotify");
    assertSameFrames(viewer.units, units, "over WebSocket");
    assertSameFrames(plain.units, units, "over TCP");
  });
});

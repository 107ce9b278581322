/** The door of sluice.v1 on the HTTP port: paths, web pages, what is on either side of it, and the end of the server. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "@sluice/testkit/until";
import { WebSocket } from "ws";
import { LogRecorder, openServer, RtmpPeer, type RunningServer } from "./sessions-fixture.ts";

class Client {
  readonly webSocket: WebSocket;
  readonly heard: Record<string, unknown>[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** HTTP status where there was no upgrade. */
  refused: number | undefined;

  constructor(
    server: RunningServer,
    path: string,
    options: { readonly protocols?: string[]; readonly origin?: string } = {},
  ) {
    const { protocols = ["sluice.v1"], origin } = options;
    const url = `ws://127.0.0.1:${server.httpPort}${path}`;
    this.webSocket = new WebSocket(url, protocols, origin === undefined ? {} : { origin });
    this.webSocket.on("error", () => {});
    this.webSocket.on("unexpected-response", (_, response) => (this.refused = response.statusCode));
    this.webSocket.on("message", (text: Buffer) => this.heard.push(JSON.parse(text.toString()) as never));
    this.webSocket.on("close", (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  async open(): Promise<this> {
    await until("upgraded or refused", () => this.webSocket.readyState === 1 || this.refused !== undefined);
    return this;
  }

  say(message: object): void {
    this.webSocket.send(JSON.stringify(message));
  }

  async answer(id: number): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined =>
      this.heard.find((one) => one["type"] === "answer" && one["id"] === id);
    await until(`answer ${id} in ${JSON.stringify(this.heard)}`, () => find() !== undefined);
    return find() ?? {};
  }

  async connect(): Promise<this> {
    await this.open();
    this.say({ type: "connect", id: 1 });
    assert.equal((await this.answer(1))["status"], "success");
    return this;
  }
}

test("[SLV26] the path is that of an application; the subprotocol is chosen among those offered", async () => {
  await using server = await openServer();
  for (const path of ["/", "/api/v1", "/%FF"]) {
    assert.equal((await new Client(server, path).open()).refused, 400, path);
  }
  const client = await new Client(server, "/game/table%207?token=t", { protocols: ["other", "sluice.v1"] }).connect();
  assert.equal(client.webSocket.protocol, "sluice.v1");
  client.say({ type: "open", id: 2, name: "ball" });
  assert.equal((await client.answer(2))["object"], "game/table 7/ball");
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: Record<string, unknown>[] };
  assert.deepEqual(
    sessions.map(({ protocol, app, role }) => [protocol, app, role]),
    [["sluice", "game", "idle"]],
  );
  client.webSocket.close();
  await until("closed in order", () => client.closed !== undefined);
  assert.equal(client.closed?.code, 1005);
});

test("[SLV27] a web page connects where it is the server's own or listed; one that may only play is refused, and counted", async () => {
  await using server = await openServer(["http.publish.origins=https://game.example"]);
  const own = `http://127.0.0.1:${server.httpPort}`;
  for (const origin of [own, "https://game.example"]) {
    assert.equal((await new Client(server, "/room", { origin }).connect()).refused, undefined);
  }
  for (const origin of ["https://evil.example", "null", "http://localhost:1"]) {
    assert.equal((await new Client(server, "/room", { origin }).open()).refused, 403, origin);
  }
  assert.equal(await server.metric('play_refused_total{protocol="sluice",reason="origin"}'), 3);
});

test("[SLV28] a hook at connect decides: its no is heard as a refusal before 4001, its redirect as a move before 4004", async () => {
  const asked: Record<string, unknown>[] = [];
  const hook = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const question = JSON.parse(body) as Record<string, unknown>;
      asked.push(question);
      const to = { moved: "ws://other.example/moved", astray: "rtmp://other.example/astray" }[String(question["app"])];
      response.writeHead(to === undefined ? 403 : 307, to === undefined ? {} : { Location: to }).end();
    });
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  const { port } = hook.address() as AddressInfo;
  const logs = new LogRecorder();
  await using server = await openServer([`auth.hooks.connect=http://127.0.0.1:${port}/`], logs.log);
  const denied = await new Client(server, "/room?token=secret").open();
  denied.say({ type: "connect", id: 1, agent: "my-game/1.0" });
  await until("closed", () => denied.closed !== undefined);
  assert.equal((await denied.answer(1))["code"], "denied");
  assert.equal(denied.closed?.code, 4001);
  const { event, protocol, app, agent, query } = asked[0] ?? {};
  assert.deepEqual(
    [event, protocol, app, agent, query],
    ["connect", "sluice", "room", "my-game/1.0", { token: "secret" }],
  );
  const moved = await new Client(server, "/moved").open();
  moved.say({ type: "connect", id: 1 });
  await until("closed", () => moved.closed !== undefined);
  assert.equal(moved.closed?.code, 4004);
  assert.equal(moved.heard[1]?.["url"], "ws://other.example/moved");
  const astray = await new Client(server, "/astray").open();
  astray.say({ type: "connect", id: 1 });
  await until("closed", () => astray.closed !== undefined);
  assert.equal(astray.closed?.code, 4001, "it could not go there");
  const lines = logs.of("Connect refused").map(({ reason, key, protocol: over }) => [reason, key, over]);
  assert.deepEqual(lines, [
    ["guard", "room", "sluice"],
    ["redirected", "moved", "sluice"],
    ["guard", "astray", "sluice"],
  ]);
  hook.close();
});

test("[SLV29] a message over the limit and a frame that is none end the connection with the codes of WebSocket", async () => {
  await using server = await openServer();
  const large = await new Client(server, "/room").connect();
  large.webSocket.send(`{"type":"ping","id":2,"more":"${"x".repeat(300_000)}"}`);
  await until("closed", () => large.closed !== undefined);
  assert.equal(large.closed?.code, 1009);
  const other = await new Client(server, "/room").connect();
  other.say({ type: "ping", id: 2 });
  assert.equal((await other.answer(2))["status"], "success");
});

test("[SLV30] a node that drains refuses new connections with 503 and closes those that are left with 1001", async () => {
  await using server = await openServer(["shutdown.timeout=10s"]);
  const publisher = new RtmpPeer(server.rtmpPort).publish("cam");
  await publisher.status("NetStream.Publish.Start");
  const client = await new Client(server, "/room").connect();
  client.say({ type: "open", id: 2, name: "ball" });
  await client.answer(2);
  const stopped = server.stop();
  assert.equal((await new Client(server, "/room").open()).refused, 503);
  await until("closed", () => client.closed !== undefined);
  assert.deepEqual(client.closed, { code: 1001, reason: "server-stopping" });
  await publisher[Symbol.asyncDispose]();
  await stopped;
});

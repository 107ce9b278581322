/** A real nginx and a real Caddy before a node: strangers get nothing of the admin side, and the guide's blocks work. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { after, before, describe, test } from "node:test";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { type Proxy, startCaddyOfGuide, startNginx, startNginxOfGuide } from "./support/reverse-proxy.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { readFlvFile, type Unit } from "./support/units.ts";

const TOKEN = "a token of proxies for tests only";
const ADMIN = ["/api/v1/streams", "/api/v1/sessions", "/api/v1/events", "/api/v1/nodes", "/metrics", "/console/"];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Its beginning: event streams do not end. */
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Any certificate will do. */
function ask(url: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, rejectUnauthorized: false } as const;
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, options, (response) => {
      const { statusCode: status = 0, headers: heard } = response;
      const answer = (piece?: Buffer): void => {
        resolve({ status, headers: heard, body: piece?.toString() ?? "" });
        request.destroy();
      };
      response.once("data", answer);
      response.once("end", answer);
    });
    request.on("error", reject);
    request.end(body);
  });
}

let folder: WorkFolder;
let units: Unit[];

before(() => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 2 }));
});

after(() => folder?.[Symbol.dispose]());

const NAMED = { Host: "media.example.org" };
const CLAIMS = [{}, NAMED, { Host: "localhost" }, { "X-Forwarded-For": "127.0.0.1" }, { Forwarded: "for=127.0.0.1" }];

/** Ways to write a location that passes everything on, and what strangers may claim before each. */
const PLAIN: readonly (readonly [
  says: string,
  location: string,
  claims: readonly Readonly<Record<string, string>>[],
])[] = [
  ["as plain as can be", "", CLAIMS],
  ["with the client's Host", "proxy_set_header Host $host;", CLAIMS],
  ["with HTTP/1.1 and an address", "proxy_http_version 1.1; proxy_set_header X-Real-IP $remote_addr;", CLAIMS],
  // Without any other sign, only the name by which it was called tells a proxy from this machine.
  ["with HTTP/1.1 and the client's Host", "proxy_http_version 1.1; proxy_set_header Host $http_host;", [NAMED]],
];

for (const [says, location, claims] of PLAIN) {
  describe(`nginx ${says}`, () => {
    let open: Server;
    let closed: Server;
    let toOpen: Proxy;
    let toClosed: Proxy;
    before(async () => {
      open = await startServer();
      closed = await startServer({ set: [`admin.token=${TOKEN}`] });
      const before = (port: number): Promise<Proxy> =>
        startNginx(
          (own) =>
            `server { listen 127.0.0.1:${own}; location / { proxy_pass http://127.0.0.1:${port}; ${location} } }`,
        );
      toOpen = await before(open.port("http"));
      toClosed = await before(closed.port("http"));
    });
    after(async () => {
      for (const one of [toOpen, toClosed, open, closed]) await one?.[Symbol.asyncDispose]();
    });

    test("opens nothing of the admin side where no token is configured, whatever a stranger claims", async () => {
      for (const path of ADMIN)
        for (const headers of claims) {
          const { status } = await ask(`http://127.0.0.1:${toOpen.port}${path}`, { headers });
          assert.equal(status, 403, `${path} ${JSON.stringify(headers)}`);
        }
      const drain = await ask(`http://127.0.0.1:${toOpen.port}/api/v1/nodes/x/drain`, {
        method: "POST",
        headers: NAMED,
      });
      assert.equal(drain.status, 403);
    });

    test("opens it to the token's bearer alone where one is configured", async () => {
      for (const path of ADMIN) {
        const url = `http://127.0.0.1:${toClosed.port}${path}`;
        assert.equal((await ask(url)).status, 401, path);
        assert.equal((await ask(url, { headers: { Authorization: `Bearer ${TOKEN}x` } })).status, 401, path);
        assert.notEqual((await ask(url, { headers: { Authorization: `Bearer ${TOKEN}` } })).status, 401, path);
      }
    });

    test("tells health, and no more", async () => {
      const health = await ask(`http://127.0.0.1:${toOpen.port}/healthz`);
      assert.deepEqual([health.status, JSON.parse(health.body)], [200, { status: "ok" }]);
      const ready = await ask(`http://127.0.0.1:${toOpen.port}/readyz`);
      assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { ready: true, reasons: [] }]);
    });
  });
}

const GUIDED = [
  ["nginx", startNginxOfGuide],
  ["Caddy", startCaddyOfGuide],
] as const;

for (const [program, start] of GUIDED) {
  describe(`${program} as the guide has it`, () => {
    let server: Server;
    let proxy: Proxy;
    let base: string;
    const bearer = { Authorization: `Bearer ${TOKEN}` };

    before(async () => {
      server = await startServer({ set: [`admin.token=${TOKEN}`, "http.cors.origins=https://friend.example"] });
      proxy = await start(server.port("http"));
      base = `127.0.0.1:${proxy.port}`;
    });
    after(async () => {
      for (const one of [proxy, server]) await one?.[Symbol.asyncDispose]();
    });

    test("the admin side wants the token, and gives everything for it, events as they come", async () => {
      for (const path of ADMIN) {
        assert.equal((await ask(`https://${base}${path}`)).status, 401, path);
        const { status } = await ask(`https://${base}${path}`, { headers: bearer });
        assert.ok(status === 200 || (path === "/console/" && status === 404), `${path} ${status}`);
      }
      const events = await ask(`https://${base}/api/v1/events`, { headers: bearer });
      assert.match(events.body, /^retry: \d+\n: connected/);
    });

    test("a browser gets a cookie for encrypted connections, and changes things from the node's own pages alone", async () => {
      const headers = { Accept: "text/html" };
      const query = `token=${encodeURIComponent(TOKEN)}`;
      const admitted = await ask(`https://${base}/console/?${query}`, { headers });
      assert.equal(admitted.status, 303);
      const [cookie = ""] = admitted.headers["set-cookie"] ?? [];
      assert.match(cookie, /; Secure$/);
      const change = async (Origin: string): Promise<number> => {
        const sent = { Cookie: cookie.split(";", 1)[0] ?? "", Origin };
        return (await ask(`https://${base}/api/v1/sessions/none`, { method: "DELETE", headers: sent })).status;
      };
      assert.equal(await change(`https://${base}`), 404);
      assert.equal(await change("https://evil.example"), 403);
    });

    test("streams pass as they come, over HTTP and WebSocket", async () => {
      await using publisher = await connectPeer({ port: server.port(), app: "live" });
      await publisher.publish("cam");
      await publisher.sendAll(units.slice(0, 40));
      await using http = await watchHttp(`https://${base}/live/cam.flv`);
      await using socket = await watchWebSocket(`wss://${base}/live/cam.flv`);
      assert.equal(http.status, 200);
      const rest = units.slice(40, 60);
      await Promise.all([http.heardUnits(20), socket.heardUnits(20)]);
      const already = [http.units.length, socket.units.length];
      await publisher.sendAll(rest);
      await Promise.all([http.heardUnits((already[0] ?? 0) + 1), socket.heardUnits((already[1] ?? 0) + 1)]);
    });

    test("pages of the proxy's own name publish, others do not", async () => {
      const open = (origin: string) =>
        connectPeer({ port: 0, over: "web-socket", url: `wss://${base}/`, origin, app: "live" });
      await using own = await open(`https://${base}`);
      await own.publish("page");
      await using foreign = await open("https://friend.example");
      foreign.engine.publish("stolen");
      foreign.flush();
      await foreign.status("NetStream.Publish.Denied");
    });
  });
}

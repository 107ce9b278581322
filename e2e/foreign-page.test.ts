/** A web page as the attacker, in a real browser on the operator's machine: what it asks the node for, it does not get. */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, Page, Response } from "playwright-core";
import { FOREIGN_HOST, launchBrowser, openView, type View } from "./support/browser.ts";
import { openPagePeer } from "./support/page-peer.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";

let browser: Browser;
let elsewhere: HttpServer;
let server: Server;

before(async () => {
  browser = await launchBrowser();
  elsewhere = await listening((_request, response) =>
    response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Elsewhere</title>"),
  );
  server = await startServer({ set: ["node.id=target", "limits.publishers=0"] });
});

after(async () => {
  await browser?.close();
  elsewhere?.close();
  elsewhere?.closeAllConnections();
  await server?.[Symbol.asyncDispose]();
});

async function listening(answer: Parameters<typeof createServer>[1]): Promise<HttpServer> {
  const opened = createServer(answer);
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  return opened;
}

const portOf = (opened: HttpServer): number => (opened.address() as AddressInfo).port;

/** Pages that are not the node's own, each with an address of its own kind. */
const FOREIGN: readonly (readonly [says: string, url: () => string])[] = [
  ["another port of this machine", () => `http://127.0.0.1:${portOf(elsewhere)}/`],
  ["another site", () => `http://${FOREIGN_HOST}:${portOf(elsewhere)}/`],
  ["a name that its owner lets point here", () => `http://${FOREIGN_HOST}:${server.port("http")}/healthz`],
];

/** What the server answered to whatever the page tries, also where the browser keeps the answer from the page. */
async function statusOf(page: Page, path: string, attempt: () => Promise<unknown>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const isMeant = (url: string): boolean => new URL(url).pathname === path;
  const onResponse = (response: Response): void => {
    if (isMeant(response.url())) resolve(response.status());
  };
  page.on("response", onResponse); // tells of frames in processes of their own
  const network = await page.context().newCDPSession(page); // tells of what CORS hides
  const ids = new Set<string>();
  const statuses = new Map<string, number>(); // either event may come first
  const settle = (id: string): void => {
    const status = statuses.get(id);
    if (status !== undefined && ids.has(id)) resolve(status);
  };
  network.on("Network.requestWillBeSent", ({ requestId, request }) => {
    if (isMeant(request.url)) ids.add(requestId);
    settle(requestId);
  });
  network.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    statuses.set(requestId, statusCode);
    settle(requestId);
  });
  await network.send("Network.enable");
  await attempt();
  const status = await promise;
  page.off("response", onResponse);
  await network.detach();
  return status;
}

/** Where a page reaches the node: by address, or by the name it came under, which is then its own origin. */
const nodeFor = (page: Page): string =>
  new URL(page.url()).port === String(server.port("http")) ? new URL(page.url()).origin : server.http("");

const GETS = ["/api/v1/streams", "/api/v1/sessions", "/api/v1/events", "/api/v1/openapi.json", "/metrics", "/console/"];

const ATTEMPTS: readonly (readonly [says: string, run: (page: Page, url: string) => Promise<unknown>])[] = [
  [
    "fetch",
    (page, url) => page.evaluate((asked) => fetch(asked, { credentials: "include" }).catch(() => undefined), url),
  ],
  [
    "fetch without CORS",
    (page, url) => page.evaluate(async (asked) => void (await fetch(asked, { mode: "no-cors" })), url),
  ],
  ["a picture", (page, url) => page.evaluate((asked) => void (new Image().src = asked), url)],
  ["an event source", (page, url) => page.evaluate((asked) => void new EventSource(asked), url)],
  [
    "a frame",
    (page, url) =>
      page.evaluate((asked) => {
        const frame = document.createElement("iframe");
        frame.src = asked;
        document.body.append(frame);
      }, url),
  ],
];

for (const [says, address] of FOREIGN) {
  describe(`a page of ${says}`, () => {
    let view: View;
    before(async () => {
      view = await openView(browser, address());
    });
    after(() => view?.[Symbol.asyncDispose]());

    for (const [how, run] of ATTEMPTS) {
      test(`reads nothing of the admin side by ${how}`, async () => {
        for (const path of GETS)
          assert.equal(await statusOf(view.page, path, () => run(view.page, nodeFor(view.page) + path)), 403, path);
      });
    }

    test("changes nothing, whatever a form or a script sends", async () => {
      const drain = "/api/v1/nodes/target/drain";
      const url = nodeFor(view.page) + drain;
      const post = (asked: string): Promise<unknown> =>
        fetch(asked, { method: "POST", mode: "no-cors", body: "{}" }).catch(() => undefined);
      assert.equal(await statusOf(view.page, drain, () => view.page.evaluate(post, url)), 403);
      await using other = await openView(browser, address());
      const submit = (asked: string): void => {
        const form = Object.assign(document.createElement("form"), { action: asked, method: "post" });
        document.body.append(form);
        form.submit();
      };
      assert.equal(await statusOf(other.page, drain, () => other.page.evaluate(submit, url)), 403);
      const { nodes } = await server.get<{ readonly nodes: readonly { readonly state: string }[] }>("/api/v1/nodes");
      assert.equal(nodes[0]?.state, "ready");
    });

    test("publishes nothing with its visitor's address, and may play", async () => {
      await using peer = await pagePublisher(view.page, "stolen");
      const refused = await peer.status("NetStream.Publish.Denied");
      assert.match(refused.description, /origin/);
      assert.deepEqual(await server.streams(), []);
    });
  });
}

/** Asks to publish from the page. */
async function pagePublisher(page: Page, name: string, to: Server = server): Promise<RtmpPeer> {
  const host = page.url().includes(`:${to.port("http")}/`) ? new URL(page.url()).host : `127.0.0.1:${to.port("http")}`;
  const peer = await openPagePeer(page, `ws://${host}/`, {
    app: "live",
    tcUrl: "rtmp://127.0.0.1/live",
    more: { pageUrl: "http://claimed.example/" },
  });
  peer.engine.publish(name);
  peer.flush();
  return peer;
}

describe("pages that may", () => {
  test("a link elsewhere leads to a page whose own link opens the console", async () => {
    await using view = await openView(browser, `http://127.0.0.1:${portOf(elsewhere)}/`);
    const leave = (asked: string): void => {
      const link = Object.assign(document.createElement("a"), { href: asked });
      document.body.append(link);
      link.click();
    };
    await view.page.evaluate(leave, server.http("/console/"));
    const opened = view.page.waitForResponse((response) => response.status() !== 403);
    await view.page.getByRole("link", { name: "open the console" }).click();
    assert.ok([200, 404].includes((await opened).status()), "404 where the console is not built");
  });

  test("one of the node's own publishes, and reads the admin side", async () => {
    await using view = await openView(browser, server.http("/healthz"));
    const status = await view.page.evaluate(async () => (await fetch("/api/v1/streams")).status);
    assert.equal(status, 200);
    await using peer = await pagePublisher(view.page, "own");
    await peer.status("NetStream.Publish.Start");
    await server.stream("live/own");
  });

  test("one of a listed origin publishes; its hook hears the true Origin, whatever the page claims", async () => {
    const asked: Record<string, unknown>[] = [];
    const hook = await listening(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      asked.push(JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>);
      response.writeHead(200).end();
    });
    const origin = `http://${FOREIGN_HOST}:${portOf(elsewhere)}`;
    const ask = `auth.hooks.publish=http://127.0.0.1:${portOf(hook)}/`;
    await using other = await startServer({
      set: [`http.publish.origins=${origin}`, "http.cors.origins=", "auth.publish=hook", ask],
    });
    await using view = await openView(browser, `${origin}/`);
    await using peer = await pagePublisher(view.page, "cam", other);
    await peer.status("NetStream.Publish.Start");
    assert.deepEqual([asked[0]?.["origin"], asked[0]?.["pageUrl"]], [origin, "http://claimed.example/"]);
    await using second = await openView(browser, `http://127.0.0.1:${portOf(elsewhere)}/`);
    await using refused = await pagePublisher(second.page, "cam", other);
    await refused.closed;
    assert.deepEqual(refused.events, [], "an origin that is listed nowhere opens no connection");
    hook.close();
    hook.closeAllConnections();
  });

  test("a program, which has no page, publishes over WebSocket as ever", async () => {
    await using peer = await connectPeer({ port: server.port("http"), over: "web-socket", app: "live" });
    await peer.publish("program");
  });
});

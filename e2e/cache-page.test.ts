/** A web page that would command the cache: whatever it sends to the RESP port from a real browser, nothing of it is done. */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { freePort } from "@sluice/testkit/free-port";
import type { Browser } from "playwright-core";
import { FOREIGN_HOST, launchBrowser, openView } from "./support/browser.ts";
import { CacheMember, openRedis } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";

let browser: Browser;
let elsewhere: HttpServer;

before(async () => {
  browser = await launchBrowser();
  elsewhere = createServer((_request, response) =>
    response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Elsewhere</title>"),
  );
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  await browser?.close();
  elsewhere?.close();
  elsewhere?.closeAllConnections();
});

const COMMANDS = "\r\nSET stolen 1\r\n*3\r\n$3\r\nSET\r\n$6\r\nstolen\r\n$1\r\n1\r\n";

const ATTEMPTS: Readonly<Record<string, (asked: { readonly url: string; readonly body: string }) => Promise<unknown>>> =
  {
    "fetch without CORS": ({ url, body }) =>
      fetch(url, { method: "POST", mode: "no-cors", body }).catch(() => undefined),
    "fetch of another method": ({ url, body }) => fetch(url, { method: "SET", body }).catch(() => undefined),
    "a beacon": async ({ url, body }) => navigator.sendBeacon(url, body),
    "a WebSocket": async ({ url }) => void new WebSocket(url.replace("http", "ws")),
    "a form of plain text": async ({ url, body }) => {
      const form = Object.assign(document.createElement("form"), {
        action: url,
        method: "post",
        enctype: "text/plain",
      });
      form.append(Object.assign(document.createElement("input"), { name: body, value: body, type: "hidden" }));
      document.body.append(form);
      form.submit();
    },
  };

for (const host of ["127.0.0.1", FOREIGN_HOST]) {
  for (const [how, attempt] of Object.entries(ATTEMPTS)) {
    test(`[RSP100] a page commands nothing by ${how}, to ${host}`, async () => {
      using folder = new WorkFolder();
      const members = `n1=127.0.0.1:${await freePort()}`;
      const options = { id: "n1", members, respPort: await freePort(), dir: folder.file("n1") };
      await using member = await CacheMember.start(options);
      await using view = await openView(
        browser,
        `http://${FOREIGN_HOST}:${(elsewhere.address() as AddressInfo).port}/`,
      );
      const told = member.child.waitForLine((line) => (line.includes("does not speak RESP") ? line : undefined));
      await view.page.evaluate(attempt, { url: `http://${host}:${member.respPort}/`, body: COMMANDS });
      assert.match(await told, /"protocol":"HTTP"/);
      const redis = openRedis(member.respPort);
      await redis.connect();
      assert.equal(await redis.exists("stolen"), 0);
      redis.disconnect();
    });
  }
}

/** Each example does what its README says, on a real server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ObjectAnswer } from "@sluice/client/admin-objects";
import { type Child, startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import { CacheCluster } from "./support/cache-cluster.ts";
import { launchBrowser, openView, playFor, seeMovement } from "./support/browser.ts";
import { makeClip, run, WorkFolder } from "./support/clip.ts";
import { ROOT, type Server, startServer } from "./support/server.ts";

const QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"];

let folder: WorkFolder;
let clip: string;

before(() => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 4 });
});

after(() => folder[Symbol.dispose]());

const example = (path: string): string => join(ROOT, "examples", path);

function publish(server: Server, path: string): Child {
  const input = ["-re", "-stream_loop", "-1", "-i", clip, "-c", "copy"];
  return startChild(["ffmpeg", ...QUIET, ...input, "-f", "flv", server.rtmp(path)]);
}

/** Of the line in which an example says where it listens. */
function portOf(child: Child): Promise<number> {
  return child.waitForLine((line) => {
    const [, port] = /"port":(\d+)/.exec(line) ?? [];
    return port === undefined ? undefined : Number(port);
  });
}

/** The status of an HTTP-FLV answer, whose body is left. */
async function playStatus(url: string): Promise<number> {
  const leave = new AbortController();
  const { status } = await fetch(url, { signal: leave.signal });
  leave.abort();
  return status;
}

describe("hooks-server", () => {
  test("lets in who knows the password, and tells others why not", async () => {
    const env = { PORT: "0", HOOK_TOKEN: "only-you-two-know", PUBLISH_PASSWORD: "opensesame" };
    await using hooks = startChild([process.execPath, example("hooks-server/main.ts")], { env });
    const url = `http://127.0.0.1:${await portOf(hooks)}/`;
    const asked = ["auth.publish=hook", "auth.play=hook", `auth.hooks.publish=${url}`, `auth.hooks.play=${url}`];
    await using server = await startServer({ set: [...asked, `auth.hooks.token=${env.HOOK_TOKEN}`] });
    await using stranger = publish(server, "live/cam?password=guess");
    assert.notEqual((await stranger.exited).code, 0);
    await hooks.waitForLine(
      (line) => (line.startsWith("publish live/cam") && line.endsWith("Wrong password")) || undefined,
    );
    await using friend = publish(server, "live/cam?password=opensesame");
    await server.stream("live/cam", (row) => row.state === "live" && row.video !== null);
    assert.equal(await playStatus(server.http("/live/cam.flv")), 200);
    await hooks.waitForLine((line) => (line.startsWith("play live/cam") && line.endsWith("yes")) || undefined);
    await friend.stop();
  });

  test("answers nobody without its token", async () => {
    const env = { PORT: "0", HOOK_TOKEN: "only-you-two-know", PUBLISH_PASSWORD: "opensesame" };
    await using hooks = startChild([process.execPath, example("hooks-server/main.ts")], { env });
    const response = await fetch(`http://127.0.0.1:${await portOf(hooks)}/`, { method: "POST", body: "{}" });
    assert.equal(response.status, 401);
  });
});

describe("ball", () => {
  test("[CON430] a ghost moves the ball, and tells where others put it", async () => {
    await using server = await startServer({ set: ["node.id=haunted"] });
    await using ghost = startChild([process.execPath, example("ball/main.ts"), server.http("").replace("http", "ws")]);
    const path = "/api/v1/objects/ballControl/ball";
    const seen = new Set<unknown>();
    await until("the ball at three places", async () => {
      const answer = await fetch(server.http(path));
      if (!answer.ok) return false;
      const { properties } = (await answer.json()) as ObjectAnswer;
      seen.add(properties.find(({ name }) => name === "x")?.value);
      return seen.size > 3;
    });
    const patch = { method: "PATCH", headers: { "content-type": "application/json" }, body: '{"note":"hello"}' };
    assert.equal((await fetch(server.http(path), patch)).status, 200);
    await ghost.waitForLine((line) => line === "note = hello" || undefined);
  });
});

describe("signed-links", () => {
  test("prints a link that plays, where the bare one does not", async () => {
    const secret = folder.file("play.secret");
    writeFileSync(secret, "a secret of more than thirty-two characters\n");
    await using server = await startServer({ set: ["auth.play=signed", `auth.signed.secretFile=${secret}`] });
    await using publisher = publish(server, "live/cam");
    await server.stream("live/cam", (row) => row.state === "live" && row.video !== null);
    const args = [example("signed-links/main.ts"), secret, "live/cam", server.http("")];
    const link = run(process.execPath, args).trim();
    assert.equal(await playStatus(link), 200);
    assert.equal(await playStatus(link.replace("live/cam", "live/other")), 403);
    assert.equal(await playStatus(server.http("/live/cam.flv")), 401);
    await publisher.stop();
  });
});

describe("cache-with-ioredis", () => {
  interface Count {
    readonly count: number;
    readonly port: number;
  }

  /** The first of its lines that suits: `count 3 on port 6401`. */
  const counted = (child: Child, suits: (line: Count) => boolean): Promise<Count> =>
    child.waitForLine((line) => {
      const [, count, port] = /^count (\d+) on port (\d+)$/.exec(line) ?? [];
      const found = { count: Number(count), port: Number(port) };
      return count !== undefined && suits(found) ? found : undefined;
    });

  test("counts on, from where it was, when the leader is killed", async () => {
    await using cluster = await CacheCluster.start();
    const ports = cluster.members.map(({ respPort }) => String(respPort));
    await using counter = startChild([process.execPath, example("cache-with-ioredis/main.ts"), ...ports]);
    const before = await counted(counter, ({ count }) => count > 1);
    await cluster.members.find(({ respPort }) => respPort === before.port)?.kill();
    const after = await counted(counter, ({ port }) => port !== before.port);
    assert.ok(after.count > before.count && after.count < before.count + 10, `${after.count} after ${before.count}`);
  });
});

describe("web-player", () => {
  test("plays from another origin, also when the stream comes later", async () => {
    await using site = startChild([process.execPath, example("web-player/serve.ts")], { env: { PORT: "0" } });
    const address = `http://127.0.0.1:${await portOf(site)}/`;
    await using server = await startServer();
    const browser = await launchBrowser();
    try {
      const wish = new URLSearchParams({ server: `ws://127.0.0.1:${server.port("http")}`, key: "live/cam" });
      await using view = await openView(browser, `${address}?${wish.toString()}`);
      await view.page.getByText("trying again").waitFor();
      await using publisher = publish(server, "live/cam");
      await playFor(view.page, 1);
      await seeMovement(view.page);
      assert.deepEqual(view.faults, []);
      await publisher.stop();
    } finally {
      await browser.close();
    }
  });
});

describe("the guide's page", () => {
  test("[CON180] plays as it is printed, with the library that is copied as it is printed", async () => {
    const guide = readFileSync(join(ROOT, "docs/guide/playing.md"), "utf8");
    const page = /```html\n([^]*?)```/.exec(guide)?.[1] ?? "";
    const library = /^cp (\S+mpegts\.js) \.$/m.exec(guide)?.[1] ?? "";
    await using server = await startServer();
    const files = new Map([
      ["/", { type: "text/html", text: page.replace("HOST:8080", `127.0.0.1:${server.port("http")}`) }],
      ["/mpegts.js", { type: "text/javascript", text: readFileSync(join(ROOT, library), "utf8") }],
    ]);
    const site = createServer((request, response) => {
      const file = files.get(request.url ?? "");
      response
        .writeHead(file === undefined ? 404 : 200, { "content-type": file?.type ?? "text/plain" })
        .end(file?.text);
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    const browser = await launchBrowser();
    try {
      await using _publisher = publish(server, "live/cam");
      await server.stream("live/cam", (row) => row.state === "live" && row.video !== null && row.audio !== null);
      await using view = await openView(browser, `http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      await playFor(view.page, 1);
      await seeMovement(view.page);
      assert.deepEqual(view.faults, []);
    } finally {
      await browser.close();
      site.close();
    }
  });
});

/** The console as a newcomer and an operator meet it: the real server, the built pages, Chromium, and ffmpeg publishing. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { type Child, startChild } from "@sluice/testkit/child";
import type { Browser, Page } from "playwright-core";
import {
  currentTime,
  drawnPixels,
  ensureConsole,
  FOREIGN_HOST,
  launchBrowser,
  openView,
  pageWidth,
  playFor,
  playPast,
  seeMovement,
} from "./support/browser.ts";
import { type Server, startServer } from "./support/server.ts";
import { until } from "@sluice/testkit/until";

const QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"];
const PICTURE = ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine"];
/** Constant to the bit: the rate shown can be compared. */
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-pix_fmt", "yuv420p"];
const RATE = ["-b:v", "800k", "-minrate", "800k", "-maxrate", "800k", "-bufsize", "400k"];
const STEADY = ["-x264-params", "nal-hrd=cbr:force-cfr=1", "-c:a", "aac", "-b:a", "64k"];
const EXPECTED_RATE = 864_000;

let browser: Browser;
let server: Server;
const publishers: Child[] = [];

before(async () => {
  ensureConsole();
  browser = await launchBrowser();
  server = await startServer({ set: ["grace.windowMs=60s"] });
});

after(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop(1_000)));
});

function publish(key: string): Child {
  const media = [...PICTURE, ...H264, ...RATE, ...STEADY];
  const publisher = startChild(["ffmpeg", ...QUIET, ...media, "-f", "flv", server.rtmp(key)]);
  publishers.push(publisher);
  return publisher;
}

async function publishLive(key: string): Promise<Child> {
  const publisher = publish(key);
  await server.stream(key, (row) => row.state === "live" && row.video !== null && row.audio !== null);
  return publisher;
}

const open = (path = "", size = {}) => openView(browser, server.http(`/console/${path}`), size);

/** Waits until the page's stream is watched over that protocol, and no other. */
async function watchedOver(key: string, protocol: string): Promise<void> {
  await until(`${key} watched over ${protocol}`, async () => {
    const players = (await server.sessions()).filter((row) => row.key === key && row.role === "player");
    return players.length === 1 && players[0]?.protocol === protocol ? true : undefined;
  });
}

/** The number beside a plot's title, in its base unit. */
async function plotValue(page: Page, title: string): Promise<number> {
  const plot = page.locator(".time-plot", { hasText: title });
  const [, number = "", unit = ""] = /([\d.]+)\s*(\S*)/.exec(await plot.locator(".time-plot-value").innerText()) ?? [];
  return Number(number) * ({ "Mb/s": 1e6, "kb/s": 1e3 }[unit] ?? 1);
}

const badge = (page: Page, text: string) => page.locator(".stream-head .badge", { hasText: text });

describe("a newcomer", () => {
  test("[CON2] [CON3] reads how to publish to this very port, and has a moving picture one click later", async () => {
    await using fresh = await startServer();
    await using view = await openView(browser, fresh.http("/console/"));
    const { page, faults } = view;
    await page.getByRole("heading", { name: "No streams yet" }).waitFor();
    const base = `rtmp://127.0.0.1:${fresh.port("rtmp")}/live`;
    const [obsServer, obsKey, line = ""] = await page.locator(".copy-value").allInnerTexts();
    assert.deepEqual([obsServer, obsKey], [base, "cam"]);
    assert.match(line, /^ffmpeg -re .* -f flv rtmp:\S+$/);
    assert.ok(line.endsWith(` ${base}/cam`), line);
    await page.getByRole("button", { name: "Start test pattern" }).click();
    await playFor(page, 1);
    await seeMovement(page);
    await playFor(page, 1);
    assert.deepEqual(faults, []);
  });
});

describe("a stream from ffmpeg", () => {
  test("[CON1] [CON4] [CON5] is listed with codecs and size, and plays over WS-FLV and, switched, over HTTP-FLV", async () => {
    const key = "live/listed";
    await publishLive(key);
    await using view = await open();
    const { page, faults } = view;
    const row = page.locator(`[data-key="${key}"]`);
    await row.getByText("640 × 360").waitFor();
    assert.match(await row.innerText(), /Live[\s\S]*H\.264 \+ AAC[\s\S]*avc1\.[0-9a-f]{6}/);
    await row.click();
    await watchedOver(key, "ws-flv");
    await playFor(page, 1);
    await seeMovement(page);
    await page.getByText("HTTP-FLV", { exact: true }).first().click();
    await watchedOver(key, "http-flv");
    await playFor(page, 1);
    await seeMovement(page);
    await page.getByRole("link", { name: "Back to streams" }).click();
    await server.viewers(key, 0);
    assert.deepEqual(faults, []);
  });

  test("has plots that tell its frame rate and bit rate", async () => {
    const key = "live/measured";
    await publishLive(key);
    await using view = await open(`#/streams/${key}`);
    const { page } = view;
    await until("plots near the truth", async () => {
      const [rate, fps] = [await plotValue(page, "Bitrate"), await plotValue(page, "Frame rate")];
      const isNear = Math.abs(fps - 30) <= 2 && Math.abs(rate - EXPECTED_RATE) < 0.2 * EXPECTED_RATE;
      return isNear && (await drawnPixels(page, ".time-plot")) > 200 ? true : undefined;
    });
    await until("one viewer plotted", async () => ((await plotValue(page, "Viewers")) === 1 ? true : undefined));
  });

  test("[CON6] ends by a kick in the console, and its page says that nobody publishes", async () => {
    const key = "live/kicked";
    const publisher = await publishLive(key);
    await using view = await open("#/sessions");
    const { page } = view;
    const line = page.locator("[data-session]", { hasText: key });
    await line.getByText("publisher").waitFor();
    assert.match(await line.innerText(), /RTMP/);
    await line.getByRole("button", { name: /Kick/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Kick", exact: true }).click();
    await publisher.exited;
    await line.waitFor({ state: "detached" });
    await page.goto(server.http(`/console/#/streams/${key}`));
    await badge(page, "Offline").waitFor();
    await page.getByText("Nobody publishes here yet").waitFor();
  });

  test("[CON16] goes on in the same player, time growing, when its publisher dies and comes back", async () => {
    const key = "live/returning";
    const publisher = await publishLive(key);
    await using view = await open(`#/streams/${key}`);
    const { page } = view;
    await playFor(page, 3);
    await page.evaluate("window.isSamePage = true");
    publisher.kill("SIGKILL");
    await badge(page, "Grace").waitFor();
    await page.getByText("The publisher is gone and may return").first().waitFor();
    const [before] = (await server.sessions()).filter((row) => row.key === key && row.role === "player");
    const stoppedAt = await currentTime(page);
    await publishLive(key);
    await badge(page, "Live").waitFor();
    await playPast(page, stoppedAt + 2);
    await seeMovement(page);
    const [now] = (await server.sessions()).filter((row) => row.key === key && row.role === "player");
    assert.equal(now?.id, before?.id, "the viewer kept its connection");
    assert.equal(await page.evaluate("window.isSamePage"), true);
  });
});

describe("a crowd", () => {
  /** Paths of the API that the page asks for, from now on. */
  function asked(page: Page): string[] {
    const paths: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith("/api/")) paths.push(pathname);
    });
    return paths;
  }

  test("[CON210] [CON211] of 300 viewers that join costs a few requests, and a killed server is asked by the feed alone", async () => {
    await using busy = await startServer({ set: ["play.httpWait=forever"] });
    await using view = await openView(browser, busy.http("/console/#/sessions"));
    const { page } = view;
    await page.locator(".connection-open").waitFor();
    await page.getByText("Nobody is connected").waitFor();
    const paths = asked(page);
    const startedAt = performance.now();
    const viewers = Array.from({ length: 300 }, () => openViewer(busy.port("http")));
    await page.locator("[data-session]").nth(299).waitFor();
    const seconds = (performance.now() - startedAt) / 1_000;
    const count = paths.filter((path) => path === "/api/v1/sessions").length;
    assert.ok(count <= 2 + seconds, `${count} requests in ${seconds} s`);
    busy.child.kill("SIGKILL");
    await page.getByText("Connection lost").waitFor();
    paths.length = 0;
    await until("attempts of the feed", async () =>
      paths.filter((path) => path === "/api/v1/nodes").length >= 2 ? true : undefined,
    );
    assert.equal(paths.includes("/api/v1/sessions"), false);
    for (const viewer of viewers) viewer.destroy();
  });

  function openViewer(port: number): Socket {
    const viewer = connect(port, "127.0.0.1").resume();
    viewer.on("error", () => {});
    viewer.write("GET /live/crowd.flv HTTP/1.1\r\nHost: box\r\n\r\n");
    return viewer;
  }
});

describe("a guarded stream", () => {
  const ADMIN = "a-token-of-some-length";
  const GUARD = ["auth.play=jwt", "auth.jwt.secret=0123456789abcdef0123456789abcdef", `admin.token=${ADMIN}`];

  test("[CON215] is previewed by the operator over both transports, while a viewer hears that it needs a token", async () => {
    await using guarded = await startServer({ set: GUARD });
    const media = [...PICTURE, ...H264, ...RATE, ...STEADY];
    publishers.push(startChild(["ffmpeg", ...QUIET, ...media, "-f", "flv", guarded.rtmp("live/guarded")]));
    await using view = await openView(browser, guarded.http(`/console/?token=${ADMIN}`));
    const { page, faults } = view;
    await page.locator('[data-key="live/guarded"]').getByText("640 × 360").waitFor();
    await page.locator('[data-key="live/guarded"]').click();
    await playFor(page, 1);
    await seeMovement(page);
    await page.getByText("HTTP-FLV", { exact: true }).first().click();
    await playFor(page, 1);
    await seeMovement(page);
    const viewer = await fetch(guarded.http("/live/guarded.flv"));
    assert.equal(viewer.status, 401);
    assert.match(await viewer.text(), /This stream needs a token to play/);
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    assert.ok(cookie.includes("sluice_admin="));
    const asAdmin = await fetch(guarded.http("/live/guarded.flv"), { headers: { cookie } });
    assert.equal(asAdmin.status, 401, "the admin's own credential opens no stream");
    assert.deepEqual(faults, []);
  });

  test("[CON216] that the rules for addresses keep from the operator says so, over both transports", async () => {
    await using closed = await startServer({ set: ["auth.address.playDeny=127.0.0.0/8"] });
    const media = [...PICTURE, ...H264, ...RATE, ...STEADY];
    publishers.push(startChild(["ffmpeg", ...QUIET, ...media, "-f", "flv", closed.rtmp("live/closed")]));
    await closed.stream("live/closed", (row) => row.state === "live" && row.video !== null);
    await using view = await openView(browser, closed.http("/console/#/streams/live/closed"));
    const { page } = view;
    await page.getByText("This stream may not be played from here").waitFor();
    const refused = page.waitForResponse((response) => response.url().includes(".flv") && response.status() === 403);
    await page.getByText("HTTP-FLV", { exact: true }).first().click();
    await refused;
    await page.getByText("This stream may not be played from here").waitFor();
  });
});

describe("a phone", () => {
  test("[CON11] shows the player whole, and scrolls sideways nowhere", async () => {
    const key = "live/pocket";
    await publishLive(key);
    await using view = await open(`#/streams/${key}`, { width: 390, height: 844 });
    const { page } = view;
    await playFor(page, 0.5);
    const box = await page.locator("video").boundingBox();
    assert.ok(
      box && box.x >= 0 && box.x + box.width <= 390 && box.y >= 0 && box.y + box.height <= 844,
      JSON.stringify(box),
    );
    for (const path of [`#/streams/${key}`, "#/", "#/sessions", "#/cluster", "#/activity"]) {
      await page.goto(server.http(`/console/${path}`));
      await page.locator("main h1").first().waitFor();
      assert.ok((await pageWidth(page)) <= 390, `${path} is ${await pageWidth(page)} wide`);
    }
  });
});

describe("the admin rules", () => {
  const TOKEN = "a-token-of-some-length";

  for (const [how, host, headers] of [
    ["a name that is not loopback", FOREIGN_HOST, {}],
    ["a proxy's header", "127.0.0.1", { "x-forwarded-for": "203.0.113.9" }],
  ] as const) {
    test(`ask for the token over ${how}, and with it the console works`, async () => {
      await using guarded = await startServer({ set: [`admin.token=${TOKEN}`] });
      const url = `http://${host}:${guarded.port("http")}/console/`;
      await using view = await openView(browser, url, { headers });
      const { page, faults } = view;
      await enter(page, "this-is-not-the-token");
      await enter(page, TOKEN);
      await page.getByRole("heading", { name: "No streams yet" }).waitFor();
      assert.ok(!page.url().includes(TOKEN), "the token does not stay in the address");
      await page.getByRole("button", { name: "Start test pattern" }).click();
      await playFor(page, 1);
      await seeMovement(page);
      assert.deepEqual(faults, []);
    });
  }

  async function enter(page: Page, token: string): Promise<void> {
    await page.locator("input[name=token]").fill(token);
    const answered = page.waitForResponse((response) => response.request().isNavigationRequest());
    await page.getByRole("button").click();
    await answered;
  }

  test("[ADM215] let nobody in from elsewhere where there is no token, and say how to get in", async () => {
    const url = `http://${FOREIGN_HOST}:${server.port("http")}/console/`;
    await using view = await openView(browser, url);
    assert.equal(await view.page.locator("input[name=token]").count(), 0);
    const text = await view.page.locator("main").innerText();
    assert.match(text, /admin\.token/);
    assert.ok(text.includes(`ssh -L ${server.port("http")}:127.0.0.1:${server.port("http")} ${FOREIGN_HOST}`), text);
    await view.page.getByRole("link", { name: "/console/" }).click();
    await view.page.waitForURL(server.http("/console/"));
    await view.page.getByRole("link", { name: "open the console" }).click(); // a link elsewhere is not this machine's own
    await view.page.locator(".connection-open").waitFor();
  });
});

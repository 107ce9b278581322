/** The SDK as it is published: packed, installed into an empty folder, in Node and in Chromium, against a server that is killed and restarted. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import type * as Sdk from "@sluice/client";
import { until } from "@sluice/testkit/until";
import { launchBrowser, openView } from "./support/browser.ts";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, ClusterServer } from "./support/cluster-server.ts";
import { ROOT, type Server, startServer } from "./support/server.ts";

const LARGEST_GZIPPED = 20_000;

interface Ball {
  x: number;
  y: number;
}

let folder: string;
let installed: string;
let sdk: typeof Sdk;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-sdk-"));
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "name": "app", "type": "module", "private": true }');
  npm(join(ROOT, "packages/client"), "pack", "--silent", "--pack-destination", folder);
  const [pack = assert.fail("nothing was packed")] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  npm(app, "install", "--offline", "--silent", "--no-audit", join(folder, pack));
  installed = join(app, "node_modules/@sluice/client");
  sdk = (await import(pathToFileURL(join(installed, "dist/index.js")).href)) as typeof Sdk;
});

after(() => rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, ...args: readonly string[]): void {
  execFileSync("npm", args, { cwd, timeout: 60_000, stdio: ["ignore", "ignore", "inherit"] });
}

function start(name: string, set: readonly string[] = []): Promise<Server> {
  return startServer({ set: [`data.dir=${join(folder, name)}`, ...set] });
}

function url(server: Server, path: string): string {
  return server.http(path).replace("http", "ws");
}

/** Files that `file` imports, itself first. */
function importsOf(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/\bfrom "([^"]+)"/g)) {
    assert.match(specifier, /^\.{1,2}\//, `${file} imports ${specifier}`);
    importsOf(join(file, "..", specifier), seen);
  }
  return seen;
}

test("[SDK14] what is installed needs no other package, is under 20 KB gzipped, and has its types", () => {
  const sources = [...importsOf(join(installed, "dist/index.js"))].map((file) => readFileSync(file, "utf8"));
  const size = gzipSync(sources.join("\n")).length;
  assert.ok(size < LARGEST_GZIPPED, `${size} bytes gzipped`);
  const app = join(installed, "../../..");
  writeFileSync(
    join(app, "main.ts"),
    `import { connect, SluiceError } from "@sluice/client";
using connection = connect("ws://localhost/room");
const ball = connection.sharedObject<{ x: number }>("ball", { durable: true });
const x: number | undefined = ball.get("x");
// @ts-expect-error: x is a number
await ball.set("x", "left").catch((error: unknown) => (error instanceof SluiceError ? error.current : x));
`,
  );
  const options = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--lib",
    "esnext,dom",
    "--types",
    "",
  ];
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), [...options, "main.ts"], { cwd: app, timeout: 60_000 });
});

test("[SDK2] two clients on one object; the server is killed and restarted, and they go on by themselves", async () => {
  const first = await start("restarted");
  const port = first.port("http");
  using ann = sdk.connect(url(first, "/room"), { params: { user: "ann" } });
  using bob = sdk.connect(url(first, "/room"), { encoding: "msgpack" });
  const [annBall, bobBall] = [ann, bob].map((one) => one.sharedObject<Ball>("ball", { durable: true }));
  assert.ok(annBall && bobBall);
  let waiting: Promise<void>;
  try {
    await Promise.all([annBall.opened, bobBall.opened]);
    await annBall.set("x", 1);
    await until("the change", () => bobBall.get("x") === 1 || undefined);
    const position = bobBall.positionOf("x");
    await annBall.set("x", 2);
    await assert.rejects(bobBall.compareAndSet("x", 9, position), (error: Sdk.SluiceError) => {
      assert.deepEqual([error.code, error.current[0]?.value], ["stale", 2]);
      return true;
    });
    const bumped = new Promise((resolve) => bobBall.on("message", resolve));
    await annBall.send("bump", "hard");
    await bumped;
    first.child.kill("SIGKILL");
    await first.child.exited;
    await until("a cut", () => ann.state.at === "reconnecting" || undefined);
    waiting = annBall.set("y", 3);
    assert.equal(annBall.get("y"), 3);
  } finally {
    await first[Symbol.asyncDispose]();
  }
  await using second = await start("restarted", [`http.port=${port}`]);
  await waiting;
  await until("the change", () => bobBall.get("y") === 3 || undefined);
  assert.equal(bobBall.get("x"), 2);
  assert.equal(bob.state.at, "open");
  assert.equal(second.port("http"), port);
});

test("[SDK8] a node drains: its client goes on at the other node, without a cut and without a reset", async () => {
  using own = new WorkFolder();
  await using a = await ClusterServer.start(own, { id: "a", cluster: ["port: 0"] });
  await using b = await ClusterServer.start(own, { id: "b", cluster: ["port: 0", `seeds: ${a.address}`] });
  await allLinked([a, b]);
  using stays = sdk.connect(url(a, "/room"));
  using moves = sdk.connect(url(b, "/room"));
  const [stayed, moved] = [stays, moves].map((one) => one.sharedObject<Ball>("ball"));
  assert.ok(stayed && moved);
  await Promise.all([stayed.opened, moved.opened]);
  const heard: string[] = [];
  moves.on("state", ({ at }) => heard.push(at));
  moved.on("reset", () => heard.push("reset"));
  assert.equal((await fetch(a.http("/api/v1/nodes/b/drain"), { method: "POST" })).status, 202);
  assert.equal((await b.child.exited).code, 0);
  assert.equal(moves.state.at === "open" && moves.state.node, "a");
  assert.deepEqual(heard, ["open"]);
  await stayed.set("x", 3);
  await moved.set("y", 4);
  await until("each other's change", () => (moved.get("x") === 3 && stayed.get("y") === 4) || undefined);
});

test("[SDK7] who is refused by the connect hook hears why, and who shows the right token comes in", async () => {
  const hook = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => response.writeHead(body.includes("t0ken") ? 200 : 403).end("{}"));
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  try {
    const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    await using server = await start("guarded", [`auth.hooks.connect=${address}`]);
    using refused = sdk.connect(url(server, "/room"));
    using allowed = sdk.connect(url(server, "/room"), { token: async () => "t0ken" });
    await until("a refusal", () => refused.state.at === "closed" || undefined);
    assert.equal(refused.state.at === "closed" && refused.state.code, 4001);
    await allowed.sharedObject("ball").opened;
  } finally {
    hook.close();
  }
});

test("[SDK15] the same files run in a web page, and share an object with a program in Node", async () => {
  const page = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    const isScript = path.endsWith(".js");
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? readFileSync(join(installed, path)) : "<!doctype html><title>page</title>");
  });
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const browser = await launchBrowser();
  try {
    await using server = await start("page", [`http.publish.origins=${origin}`]);
    using program = sdk.connect(url(server, "/room"));
    const ball = program.sharedObject<Ball>("ball");
    await ball.opened;
    await using view = await openView(browser, `${origin}/`);
    const seen = view.page.evaluate(
      async (address) => {
        const script: string = "/dist/index.js";
        const { connect } = (await import(script)) as typeof Sdk;
        const shared = connect(address, { encoding: "msgpack" }).sharedObject<Ball>("ball");
        await shared.opened;
        const answered = new Promise<number | undefined>((resolve) => {
          shared.on("change", ({ isOwn }) => isOwn || resolve(shared.get("y")));
        });
        await shared.set("x", 7);
        return answered;
      },
      url(server, "/room"),
    );
    await until("the page's change", () => ball.get("x") === 7 || undefined);
    await ball.set("y", 8);
    assert.equal(await seen, 8);
    assert.deepEqual(view.faults, []);
  } finally {
    await browser.close();
    page.close();
  }
});

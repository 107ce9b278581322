/** The commands as processes of their own: what they print where, and with which code they end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { type NetworkInterfaceInfo, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkSignedUrl } from "@sluice/server/auth/signed-url";
import { readyWords } from "@sluice/server/cli/ready-words";
import { loadConfig } from "@sluice/server/config/load-config";
import { tellOpenListeners } from "@sluice/server/node/open-listeners";
import { Child } from "@sluice/testkit/child";
import { LogRecorder } from "./sessions-fixture.ts";

const MAIN = fileURLToPath(import.meta.resolve("@sluice/server/main"));
const SECRET = "0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "sluice-cli-"));
after(() => rmSync(folder, { recursive: true }));

const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith("SLUICE_"))
    .map((name) => [name, undefined]),
);
const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Child =>
  new Child([process.execPath, MAIN, ...args], { cwd: folder, env: { ...CLEAN, ...env } });

const FREE = ["--set", "rtmp.port=0", "--set", "http.port=0", "--set", "listen.host=127.0.0.1"];

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using child = start(args, env);
  const { code } = await child.exited;
  return { code, out: child.output("stdout"), err: child.output("stderr") };
}

for (const [says, args] of [
  ["serve", ["serve", ...FREE]],
  ["no command", FREE],
] as const) {
  test(`[CLI1] ${says} prints one ready line, and logs elsewhere`, async () => {
    await using child = start([...args, "--set", "node.id=n1", "--set", "log.format=json"]);
    const ready = await child.waitForEvent("ready");
    assert.equal(ready["node"], "n1");
    assert.equal(ready["pid"], child.pid);
    const { rtmp, http } = ready["listeners"] as Record<string, string>;
    for (const listener of [rtmp, http]) assert.match(listener ?? "", /^127\.0\.0\.1:[1-9]\d*$/);
    assert.deepEqual(await child.stop(), { code: 0, signal: null });
    assert.equal(child.output("stdout").split("\n").length, 1);
    for (const line of child.output("stderr").split("\n")) assert.equal(typeof JSON.parse(line).msg, "string");
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`[CLI2] ${signal} drains and ends with 0`, async () => {
    await using child = start(FREE);
    await child.waitForEvent("ready");
    child.kill(signal);
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    assert.match(child.output("stderr"), /Stopping[\s\S]*Stopped/);
  });
}

test("[CLI320] cache: the lines about its stop name the node", async () => {
  const dir = mkdtempSync(join(folder, "named-"));
  const where = ["--id", "box-7", "--resp", "off", "--members", "box-7=127.0.0.1:0", "--dir", dir];
  await using child = start(["cache", ...where, "--log-format", "json"]);
  await child.waitForEvent("ready");
  assert.deepEqual(await child.stop(), { code: 0, signal: null });
  const lines = child
    .output("stderr")
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly msg: string; readonly node?: string });
  const told = lines.filter(({ msg }) => msg.startsWith("Stopp"));
  assert.deepEqual(
    told.map(({ msg, node }) => [msg, node]),
    [
      ["Stopping; a second signal ends at once", "box-7"],
      ["Stopped", "box-7"],
    ],
  );
  assert.equal(lines.at(-1)?.msg, "Stopped");
});

/** A process that drains for ever, run with what stops it. */
function startEndless(longest: number): Child {
  const script = `import { stopOnSignals } from ${JSON.stringify(import.meta.resolve("@sluice/runtime/process/signals"))};
    import { openLog } from ${JSON.stringify(import.meta.resolve("@sluice/runtime/log"))};
    stopOnSignals(new AbortController(), openLog({ format: "json", level: "info" }), () => ${longest});
    setInterval(() => {}, 60_000); console.log("up");`;
  return new Child([process.execPath, "--input-type=module", "-e", script]);
}

test("[CLI2] a second signal ends at once, with the signal's code", async () => {
  await using child = startEndless(60_000);
  await child.waitForLine((line) => line === "up" || undefined);
  child.kill("SIGTERM");
  await child.waitForLine((line) => line.includes("Stopping") || undefined);
  child.kill("SIGINT");
  assert.deepEqual(await child.exited, { code: 130, signal: null });
});

test("[CLI2] draining that does not end is ended", async () => {
  await using child = startEndless(50);
  await child.waitForLine((line) => line === "up" || undefined);
  child.kill("SIGTERM");
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  assert.match(child.output("stderr"), /Ending before draining is complete/);
});

const START: readonly (readonly [string, (dir: string) => readonly string[]])[] = [
  ["serve", (dir) => ["serve", ...FREE, "--set", "engine.kind=gcache", "--set", `data.dir=${dir}`]],
  ["cache", (dir) => ["cache", "--resp", "off", "--members", "n1=127.0.0.1:0", "--dir", join(dir, "cache")]],
];

for (const [command, args] of START) {
  test(`[CLI140] ${command}: a data folder that cannot be made is told with its reason, and ends with 1`, async () => {
    writeFileSync(join(folder, "file"), "");
    for (const dir of ["/proc/no-such-folder", "/proc/no/such/folder", join(folder, "file")]) {
      const { code, out, err } = await run(args(dir));
      assert.deepEqual([code, out], [1, ""], dir);
      assert.match(err, /^UNAVAILABLE_STORE_IO: Cannot make a folder for the store in ".*": (?!.*\n)/m);
    }
  });

  test(`[CLI141] ${command}: SIGTERM before it is ready ends it with 0, as soon as it is heard`, async (t) => {
    const dir = mkdtempSync(join(folder, "store-"));
    const first = start(args(dir));
    t.after(() => first[Symbol.asyncDispose]());
    await first.waitForEvent("ready");
    assert.equal((await first.stop()).code, 0);
    // A check of the store that never ends: nobody writes to the pipe.
    const journal = join(dir, "cache", "journal-a");
    rmSync(journal);
    execFileSync("mkfifo", [journal]);
    const second = start(args(dir));
    t.after(() => second[Symbol.asyncDispose]());
    await hasChild(second.pid as number);
    second.kill("SIGTERM");
    assert.deepEqual(await second.exited, { code: 0, signal: null });
    assert.equal(second.output("stdout"), "");
    assert.doesNotMatch(second.output("stderr"), /Ending although|damaged/);
  });
}

/** The process that reads the store. */
async function hasChild(pid: number): Promise<void> {
  const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  while (children().trim() === "") await new Promise((resolve) => setImmediate(resolve));
}

test("[CLI3] a bad configuration prints every problem and ends with 2", async () => {
  for (const command of [[], ["config", "check"], ["config", "print"], ["status"]]) {
    const { code, out, err } = await run([...command, "--set", "rtmp.prot=1"], { SLUICE_HTTP_PORT: "x" });
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /2 problems/);
    assert.match(err, /rtmp\.prot \(--set\): is no known key; did you mean rtmp\.port\?/);
    assert.match(err, /http\.port \(SLUICE_HTTP_PORT\): must be/);
  }
});

test("[CLI3] a good one is said to be good", async () => {
  const { code, out } = await run(["config", "check", "--set", "rtmp.port=1"]);
  assert.deepEqual([code, out], [0, "Configuration is good: 1 key set, the rest by default"]);
});

test("[CLI4] a port in use is told with its address, and ends with 1", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, out, err } = await run([
    "--set",
    "listen.host=127.0.0.1",
    "--set",
    `rtmp.port=${port}`,
    "--set",
    "http.port=0",
  ]);
  server.close();
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, new RegExp(`UNAVAILABLE_LISTEN: .*127\\.0\\.0\\.1:${port}`));
});

test("[CLI5] an unhandled rejection is logged and ends the process with 1", async () => {
  const url = (path: string) => JSON.stringify(import.meta.resolve(`@sluice/runtime/${path}`));
  const script = `import { endOnBugs } from ${url("process/bug-watch")}; import { openLog } from ${url("log")};
    endOnBugs(openLog({ format: "json", level: "info" })); setTimeout(() => {}, 60_000); Promise.reject(new Error("the bug"));`;
  await using child = new Child([process.execPath, "--input-type=module", "-e", script]);
  assert.deepEqual(await child.exited, { code: 1, signal: null });
  const line = JSON.parse(child.output("stderr"));
  assert.equal(line.level, "error");
  assert.equal(line.err.message, "the bug");
});

test("[CLI6] sign prints a key and query that open until they expire", async () => {
  const { code, out } = await run([
    "sign",
    "play",
    "/live//caf\u00e9?%",
    "--expires",
    "90s",
    "--set",
    `auth.signed.secret=${SECRET}`,
  ]);
  assert.equal(code, 0);
  const [path = "", query = ""] = out.split("?");
  assert.equal(path, "live/caf%C3%A9%3F%25", "a key is no URL, what is printed is a part of one");
  const key = "live/caf\u00e9?%";
  const now = Date.now() / 1_000;
  const check = (seconds: number) =>
    checkSignedUrl(SECRET, { action: "play", key }, new Map(new URLSearchParams(query)), seconds).allow;
  assert.deepEqual([check(now), check(now + 60), check(now + 91)], [true, true, false]);
});

const MISUSES = [
  [["sign", "watch", "live/cam"], "must be publish or play"],
  [["sign", "play", ""], "no stream key"],
  [["sign", "play", "live/cam", "--expires", "soon"], "write a duration"],
  [["sign", "play", "live/cam"], "auth.signed.secret or auth.signed.secretFile is not set"],
  [["status", "--set", "http.port=0"], "http.port is 0"],
  [["status", "--set", "http.port=off"], "http.port is off"],
] as const;

for (const [args, expected] of MISUSES) {
  test(`[CLI6] ${args.join(" ")}: ${expected}`, async () => {
    const { code, err } = await run(args);
    assert.equal(code, 2);
    assert.ok(err.includes(expected), err);
  });
}

test("[CLI7] status shows a running node, drain ends it", async () => {
  await using child = start([...FREE, "--set", "node.id=n7", "--set", `admin.token=${SECRET}`]);
  const ready = await child.waitForEvent("ready");
  const port = (ready["listeners"] as Record<string, string>)["http"]?.split(":").at(-1);
  const here = ["--set", `http.port=${port}`, "--set", `admin.token=${SECRET}`];
  const { code, out } = await run(["status", ...here]);
  assert.equal(code, 0);
  assert.match(out, /^NODE +STATE.*\nn7 +ready .*publish, play\n\nNo streams$/);
  const drained = await run(["drain", ...here]);
  assert.deepEqual([drained.code, drained.err], [0, ""]);
  assert.match(drained.out, /^Node n7 is draining: [^]*\nNode n7 has stopped$/);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
});

test("[CLI7] a refusal and a silent port are told, and end with 1", async () => {
  const server = createHttpServer((_, response) =>
    response.writeHead(401).end('{"error":{"message":"No entry"}}'),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const refused = await run(["status", "--set", `http.port=${port}`]);
  server.close();
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /UNAVAILABLE_ADMIN: .*answered 401: No entry; this command takes admin\.token from the configuration/,
  );
  const silent = await run(["drain", "--set", `http.port=${port}`]);
  assert.equal(silent.code, 1);
  assert.match(
    silent.err,
    /nothing listens there; does the node run \(one that starts needs a few seconds\)\? .*--set http\.port=N$/m,
  );
});

const UNKNOWN = [
  [["sreve"], /^Unknown command sreve\. Did you mean serve\?\n\(sluice --help lists/m],
  [["--set", "rtmp.port=0", "satus"], /^Unknown command satus\. Did you mean status\?$/m],
  [["cache", "statsu"], /^Unknown command statsu\. Did you mean status\?$/m],
  [["config", "chekc"], /^Unknown command chekc\. Did you mean check\?$/m],
  [["--hlep"], /^Unknown option --hlep\. Did you mean --help\?$/m],
  [["--verison"], /^Unknown option --verison\. Did you mean --version\?$/m],
  [["-v"], /^Unknown option -v\. Did you mean --version\?$/m],
  [["serve", "-i", "2"], /^Unknown option -i\. Did you mean --instance\?$/m],
  [["cache", "--hlep"], /^Unknown option --hlep\. Did you mean --help\?$/m],
  [["-x"], /^Unknown option -x\. It is none of --config, --set, --instance, --help/m],
  [["help", "cahce"], /^Unknown command cahce\. Did you mean cache\?$/m],
  [["cache", "help", "statsu"], /^Unknown command statsu\. Did you mean status\?$/m],
  [["zzzzzzzz"], /^Unknown command zzzzzzzz\. It is none of serve, status, top, drain,/m],
  [["serve", "--instnace", "2"], /^Unknown option --instnace\. Did you mean --instance\?$/m],
  [["--stes", "a=b"], /^Unknown option --stes\. Did you mean --set\?$/m],
  [["cache", "--mebmers", "x"], /^Unknown option --mebmers\. Did you mean --members\?\n\(sluice cache --help lists/m],
  [["--instance", "x"], /--instance: must be a whole number, 0 to 999, and not "x"$/m],
  [["serve", "extra"], /too many arguments/],
] as const;

for (const [args, expected] of UNKNOWN) {
  test(`[CLI180] sluice ${args.join(" ")}: says what was meant, and ends with 2`, async () => {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, expected);
  });
}

test("[CLI180] a variable that is nearly one about starting is told, and where a wrong number stands", async () => {
  const misspelt = await run([], { SLUICE_INSTNACE: "1" });
  assert.match(misspelt.err, /did you mean SLUICE_INSTANCE\?/);
  const wrong = await run([], { SLUICE_INSTANCE: "one" });
  assert.match(wrong.err, /--instance \(SLUICE_INSTANCE\): must be .* not "one"$/m);
});

test("[CLI181] drain follows the node: how many sessions are left, and that it has stopped", async () => {
  const counts = [3, 3, 3, 1];
  const server = createHttpServer((request, response) => {
    if (request.method === "POST") return void response.writeHead(202).end("{}");
    const sessions = counts.shift();
    if (sessions === undefined) return void response.writeHead(503).end("{}");
    response.end(JSON.stringify({ nodes: [{ id: "n7", self: true, sessions }] }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { code, out } = await run(["drain", "--set", `http.port=${(server.address() as AddressInfo).port}`]);
  server.close();
  assert.equal(code, 0);
  assert.deepEqual(out.split("\n").slice(1), ["Sessions left: 3", "Sessions left: 1", "Node n7 has stopped"]);
});

test("[CLI182] a terminal is told in words where to look, publish and play; only what is there and reachable", () => {
  const words = (sets: readonly string[], listeners: Readonly<Record<string, string>>): string =>
    readyWords({
      config: loadConfig({ sets, env: {}, file: "none", hostname: "box" }),
      listeners,
      interfaces: INTERFACES,
    });
  const usual = words([], { rtmp: "0.0.0.0:1935", http: "0.0.0.0:8080" });
  assert.match(usual, /Console +http:\/\/localhost:8080\/console\/$/m);
  assert.match(
    usual,
    /Publish +rtmp:\/\/192\.0\.2\.5:1935\/live\/NAME +\(OBS: server rtmp:\/\/192\.0\.2\.5:1935\/live,/m,
  );
  assert.match(usual, /Play +http:\/\/192\.0\.2\.5:8080\/live\/NAME\.flv\n +rtmp:\/\/192\.0\.2\.5:1935\/live\/NAME$/m);
  assert.doesNotMatch(usual, /token/);
  const named = words(["node.public.rtmp=media.example:1940", "auth.publish=hook", "auth.hooks.publish=http://a/"], {
    rtmp: "[::1]:1935",
  });
  assert.match(named, /Publish +rtmp:\/\/media\.example:1940\/live\/NAME/);
  assert.match(named, /To publish takes a token/);
  assert.doesNotMatch(named, /Console/);
});

test("[CLI183] each listener that strangers reach without a credential is named, with its interface", () => {
  const bound = { rtmp: "0.0.0.0:1935", http: "127.0.0.1:8080", https: "[2001:db8::7]:8443", resp: "127.0.0.1:6401" };
  const recorder = new LogRecorder();
  tellOpenListeners({ log: recorder.log, bound, open: { publish: true, play: true }, interfaces: INTERFACES });
  assert.deepEqual(
    recorder.lines.map(({ level, fields }) => [level, fields]),
    [
      ["warn", { listener: "rtmp", bound: "0.0.0.0:1935", interfaces: ["eth0 192.0.2.5"] }],
      ["warn", { listener: "https", bound: "[2001:db8::7]:8443", interfaces: ["wlan0 2001:db8::7"] }],
    ],
  );
  assert.match(recorder.lines[0]?.msg ?? "", /may publish and play without a credential/);
  tellOpenListeners({ log: recorder.log, bound, open: { publish: false, play: false }, interfaces: INTERFACES });
  assert.equal(recorder.lines.length, 2);
});

const address = (text: string, internal: boolean, family: "IPv4" | "IPv6"): NetworkInterfaceInfo =>
  ({ address: text, internal, family, netmask: "", mac: "", cidr: null, scopeid: 0 }) as NetworkInterfaceInfo;
const INTERFACES = {
  lo: [address("127.0.0.1", true, "IPv4"), address("::1", true, "IPv6")],
  eth0: [address("192.0.2.5", false, "IPv4")],
  wlan0: [address("2001:db8::7", false, "IPv6")],
};

test("[CLI8] flv-dump lists the tags of a file, and says where there is none", async () => {
  const file = fileURLToPath(new URL("../../../fixtures/flv/avc-aac.flv", import.meta.url));
  const { code, out } = await run(["flv-dump", file]);
  assert.equal(code, 0);
  assert.match(out.split("\n").at(-1) ?? "", /^\d+ tags, \d+ ms$/);
  const first = (await run(["flv-dump", "--json", file])).out.split("\n")[0] ?? "";
  assert.equal(typeof JSON.parse(first), "object");
  const missing = await run(["flv-dump", join(folder, "none.flv")]);
  assert.deepEqual([missing.code, missing.out], [1, ""]);
  assert.match(missing.err, /there is no such file/);
});

test("a cache that is set up wrongly says so in one line, and ends with 2", async () => {
  const { code, err } = await run(["cache", "--members", "n1=0.0.0.0:7401", "--resp", "off"]);
  assert.equal(code, 2);
  assert.match(err, /^STATE_CACHE_SETUP: Cannot start cache node: .*--secret-file\)$/);
});

const HOSTILE = "\u001b]0;owned\u0007 \u009b31m\u202e";
const OBEYED = /[^\P{Cc}\n\t]|[\u202a-\u202e]/u;

test("[CLI150] nothing that a command prints moves a terminal, whoever put it there", async () => {
  const row = { key: `live/${HOSTILE}`, state: "live", video: null, audio: { codec: HOSTILE }, bitrate: 0, fps: 0 };
  const node = {
    id: HOSTILE,
    state: "ready",
    uptimeSeconds: 1,
    load: { cpu: 0, memoryBytes: 0 },
    sessions: 0,
    differs: [],
  };
  const rows = {
    "/api/v1/streams": { streams: [{ ...row, viewers: { all: 1 } }], total: 1 },
    "/api/v1/nodes": {
      nodes: [{ ...node, streams: 1, open: { publish: false, play: false } }],
      silent: [HOSTILE],
      stale: true,
    },
  };
  const answers = createHttpServer((request, response) => {
    const found = request.method === "GET" ? rows[request.url as keyof typeof rows] : undefined;
    if (found === undefined) response.writeHead(500).end(HOSTILE);
    else response.end(JSON.stringify(found));
  }).listen(0, "127.0.0.1");
  await once(answers, "listening");
  const at = ["--set", `http.port=${(answers.address() as AddressInfo).port}`, "--set", "listen.host=127.0.0.1"];
  for (const args of [
    ["status", ...at],
    ["top", ...at],
    ["drain", ...at],
    [HOSTILE],
    ["status", `--${HOSTILE}`],
    ["sign", HOSTILE, HOSTILE],
    ["config", "check", "--set", `${HOSTILE}=1`],
    ["config", "check", "--set", `rtmp.port=${HOSTILE}`],
    ["config", "print", "--set", `admin.tokenFile=${HOSTILE}`],
    ["flv-dump", HOSTILE],
    ["cache", "status", "--resp", HOSTILE],
  ]) {
    const { out, err } = await run(args);
    const name = args.join(" ").replaceAll(HOSTILE, "…");
    assert.match(out + err, /\S/, name);
    assert.doesNotMatch(out + err, OBEYED, name);
  }
  answers.close();
  answers.closeAllConnections();
});

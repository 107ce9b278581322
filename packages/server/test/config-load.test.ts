/** Where values come from, which source wins, and that every problem is told at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "@sluice/server/config/config-error";
import { environmentName, KEYS } from "@sluice/server/config/keys";
import { LATER_KEYS } from "@sluice/server/config/recognise";
import { type ConfigSources, loadConfig } from "@sluice/server/config/load-config";
import { editDistance, findNearest } from "@sluice/server/config/suggest";

/** A machine with only these files. */
function load(sources: ConfigSources, files: Readonly<Record<string, string>> = {}) {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: "ENOENT" });
    return text;
  };
  return loadConfig({ env: {}, cwd: "/home", hostname: "box", readFile, ...sources });
}

/** `path: message` of every problem, or none. */
function problemsOf(sources: ConfigSources, files: Readonly<Record<string, string>> = {}): string[] {
  try {
    load(sources, files);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

test("[CFG15] nothing written gives the documented defaults", () => {
  const config = load({});
  assert.equal(config.rtmp.port, 1935);
  assert.equal(config.http.port, 8080);
  assert.equal(config.rtmps.port, "off");
  assert.equal(config.node.id, "box");
  assert.equal(config.data.dir, "/home/data");
  assert.equal(config.play.wait, "forever");
  assert.equal(config.delivery.window, "auto");
  assert.equal(config.grace.windowMs, 10_000);
  assert.deepEqual(config.auth.publish, ["open"]);
  assert.equal(config.rtmp.chunkSize, 60_000);
});

test("[CFG15] a named file must be there", () => {
  assert.deepEqual(problemsOf({ file: "x.yaml" }), ["--config: cannot be read: no such file /home/x.yaml"]);
  assert.deepEqual(problemsOf({ env: { SLUICE_CONFIG: "y.yaml" } }), [
    "--config: cannot be read: no such file /home/y.yaml",
  ]);
});

test("[CFG15] `none` reads no file", () => {
  assert.equal(load({ file: "none" }, { "/home/sluice.yaml": "rtmp.port: 7" }).rtmp.port, 1935);
});

test("[CFG10] set wins over environment over file over default, and each is remembered as the source", () => {
  const files = { "/home/sluice.yaml": "rtmp: { port: 1, chunkSize: 1001 }\nhttp.port: 11" };
  const env = { SLUICE_RTMP_PORT: "2", SLUICE_HTTP_PORT: "12" };
  const config = load({ env, sets: ["rtmp.port=9", "rtmp.port=3"] }, files);
  assert.deepEqual([config.rtmp.port, config.http.port, config.rtmp.chunkSize], [3, 12, 1001]);
  const sourceOf = (path: string) => config.entries.find((entry) => entry.path === path)?.source;
  assert.deepEqual(["rtmp.port", "http.port", "rtmp.chunkSize", "log.level"].map(sourceOf), [
    "set",
    "env",
    "file",
    "default",
  ]);
});

test("[CFG11] every key has a variable of its own, made by the rule", () => {
  const names = [...KEYS.keys(), ...LATER_KEYS.keys()].map(environmentName);
  assert.equal(new Set(names).size, names.length);
  assert.equal(environmentName("grace.windowMs"), "SLUICE_GRACE_WINDOWMS");
  assert.equal(load({ env: { SLUICE_GRACE_WINDOWMS: "3s" } }).grace.windowMs, 3_000);
  assert.deepEqual(load({ env: { SLUICE_AUTH_ADDRESS_DENY: "10.0.0.0/8,::1" } }).auth.address.deny, [
    "10.0.0.0/8",
    "::1",
  ]);
});

const TYPOS = [
  [{ sets: ["rtmp.prot=1"] }, "rtmp.prot: is no known key; did you mean rtmp.port?"],
  [{ sets: ["port=1"] }, "port: is no known key; did you mean rtmp.port?"],
  [{ sets: ["grace.window=1"] }, "grace.window: is no known key; did you mean grace.windowMs?"],
  [{ sets: ["entirely.other.thing=1"] }, "entirely.other.thing: is no known key"],
  [{ env: { SLUICE_RTMP_PROT: "1" } }, "SLUICE_RTMP_PROT: is no known key; did you mean SLUICE_RTMP_PORT?"],
  [
    { sets: ["applications.live.publish.polcy=x"] },
    "applications.live.publish.polcy: is no known key; did you mean applications.live.publish.policy?",
  ],
  [{ sets: ["applications.live.rtmp.port=1"] }, "applications.live.rtmp.port: cannot be set for one application"],
  [{ sets: ["rtmp=1"] }, "rtmp: is a group of keys, not a key"],
  [{ sets: ["rtmp.port"] }, "rtmp.port: must have the form key=value"],
  [{ sets: ["=5"] }, "=5: must have the form key=value"],
] as const;

for (const [sources, expected] of TYPOS) {
  test(`[CFG12] ${expected}`, () => assert.deepEqual(problemsOf(sources), [expected]));
}

test("[CFG12] distance counts inserts, removals, replacements and swaps", () => {
  const table = [
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "acb", 1],
    ["abc", "ab", 1],
    ["", "xy", 2],
    ["port", "prot", 1],
    ["kitten", "sitting", 3],
  ] as const;
  for (const [a, b, distance] of table) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
  assert.equal(findNearest("zzzzzz", ["rtmp.port"]), undefined);
});

test("[CFG13] problems of every source come together, with where they were written", () => {
  const files = { "/home/sluice.yaml": "rtmp.port: many\nnope: 1" };
  try {
    load(
      { env: { SLUICE_HTTP_PORT: "x", SLUICE_NOPE: "1" }, sets: ["gop.maxBytes=huge", "foo"], instance: "-1" },
      files,
    );
    assert.fail("accepted");
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(
      new Set(error.problems.map(({ path, where }) => `${path} ${where}`)),
      new Set([
        "--instance ",
        "nope sluice.yaml",
        "SLUICE_NOPE environment",
        "foo --set",
        "rtmp.port sluice.yaml",
        "http.port SLUICE_HTTP_PORT",
        "gop.maxBytes --set",
      ]),
    );
    for (const { path } of error.problems) assert.ok(error.message.includes(path));
  }
});

test("[CFG14] an instance moves default ports only", () => {
  const config = load({ instance: "2", sets: ["http.port=9000"] });
  assert.deepEqual([config.rtmp.port, config.http.port, config.rtmps.port], [1937, 9000, "off"]);
  assert.deepEqual([config.node.id, config.data.dir, config.instance], ["box-2", "/home/data-2", 2]);
  assert.equal(load({ env: { SLUICE_INSTANCE: "1" } }).rtmp.port, 1936);
});

test("[CFG14] a host name is made fit to be an id", () => {
  assert.equal(load({ hostname: "büro.example" }).node.id, "b-ro.example");
  assert.equal(load({ hostname: "" }).node.id, "node");
});

test("[CFG16] YAML faults are told with their line", () => {
  const broken = problemsOf({}, { "/home/sluice.yaml": "rtmp:\n  port: [1" });
  assert.match(broken.join(), /line 2/);
  assert.match(problemsOf({}, { "/home/sluice.yaml": "a: 1\na: 2" }).join(), /unique.*line 2/);
  assert.deepEqual(problemsOf({}, { "/home/sluice.yaml": "- 1" }), [": must be a map of keys"]);
});

test("[CFG16] empty files and groups whose keys are all commented out are fine; a key without value is not", () => {
  assert.deepEqual(problemsOf({}, { "/home/sluice.yaml": "" }), []);
  assert.deepEqual(problemsOf({}, { "/home/sluice.yaml": "rtmp:\n  # port: 1\napplications:\n  live:\n" }), []);
  assert.match(problemsOf({}, { "/home/sluice.yaml": "rtmp:\n  port:\n" }).join(), /^rtmp.port: must be/);
});

test("[CFG16] aliases cannot unfold without bound", () => {
  const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${"bcdefghi"
    .split("")
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
    .join("\n")}`;
  assert.match(problemsOf({}, { "/home/sluice.yaml": bomb }).join(), /must be a map of keys/);
});

test("[CFG17] variables that a scheduler sets for a service called sluice are left alone", () => {
  const env = {
    SLUICE_PORT: "tcp://10.0.0.1:1935",
    SLUICE_SERVICE_HOST: "10.0.0.1",
    SLUICE_SERVICE_PORT_RTMP: "1935",
    SLUICE_PORT_1935_TCP_ADDR: "10.0.0.1",
  };
  assert.deepEqual(problemsOf({ env }), []);
});

test("[CFG18] keys of a later version are refused unless they change nothing", () => {
  for (const path of LATER_KEYS.keys()) {
    assert.deepEqual(problemsOf({ sets: [`${path}=9`] }), [`${path}: is not available in this version`]);
    assert.deepEqual(problemsOf({ env: { [environmentName(path)]: "9" } }), [
      `${path}: is not available in this version`,
    ]);
  }
  assert.deepEqual(problemsOf({ sets: ["node.workers=1"] }), []);
  assert.deepEqual(problemsOf({}, { "/home/sluice.yaml": "node: { workers: 1 }\ncluster:\n" }), []);
});

test("[CFG19] an application has what is its own, and the node's for the rest", () => {
  const files = {
    "/home/sluice.yaml":
      "grace.windowMs: 4s\napplications:\n  live: { publish: { policy: replace }, gop: { maxFrames: 7 } }\n  my.app: { play.wait: 0 }",
  };
  const config = load(
    { env: { SLUICE_APPLICATIONS_LIVE_PLAY_WAIT: "5s" }, sets: ["applications.a-b.auth.play=open"] },
    files,
  );
  const live = config.forApplication("live");
  assert.deepEqual(
    [live.publish.policy, live.gop.maxFrames, live.play.wait, live.grace.windowMs],
    ["replace", 7, 5_000, 4_000],
  );
  assert.equal(config.forApplication("my.app").play.wait, 0);
  assert.equal(config.forApplication("other").publish.policy, "refuse");
  assert.equal(config.forApplication("__proto__").publish.policy, "refuse");
});

test("[CFG20] the configuration is frozen at every level", () => {
  const config = load({ sets: ["applications.live.grace.windowMs=1s"] });
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(check);
  };
  const { entries, forApplication, ...values } = config;
  Object.values(values).forEach(check);
  check(forApplication("live"));
  assert.ok(Object.isFrozen(config) && Object.isFrozen(entries));
});

test("[CFG25] every default reads by its own kind", () => {
  for (const [path, { kind, fallback }] of KEYS) {
    if (path !== "node.id") assert.ok("value" in kind.read(fallback, "/"), path);
  }
});

test("[CFG13] any texts give a configuration or a ConfigError", () => {
  const key = fc.oneof(
    fc.constantFrom(...KEYS.keys(), ...LATER_KEYS.keys(), "applications", "applications.x.gop"),
    fc.string(),
  );
  const sets = fc.array(
    fc.tuple(key, fc.string()).map(([path, value]) => `${path}=${value}`),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(sets, fc.string(), (chosen, yaml) => {
      problemsOf({ sets: chosen }, { "/home/sluice.yaml": yaml });
    }),
    { numRuns: 300, interruptAfterTimeLimit: 2_000 },
  );
});

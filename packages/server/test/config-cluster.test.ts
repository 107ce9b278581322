/** Keys of the cluster: what makes a node one of a cluster, how seeds are written, and what must go together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@sluice/server/config/config-error";
import { SEED } from "@sluice/server/config/kinds-nodes";
import { type ConfigSources, loadConfig, rereadConfig, type SluiceConfig } from "@sluice/server/config/load-config";

const SECRET = "cluster.secret=a secret of the tests";

function load(...sets: readonly string[]): SluiceConfig {
  return loadConfig(sourcesOf(sets));
}

function sourcesOf(sets: readonly string[], files: Readonly<Record<string, string>> = {}): ConfigSources {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: "ENOENT" });
    return text;
  };
  return { env: {}, cwd: "/t", hostname: "box", file: "none", sets, readFile };
}

/** Paths of the problems, and one message to look at. */
function problemsOf(...sets: readonly string[]): readonly string[] {
  try {
    load(...sets);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
}

const paths = (problems: readonly string[]): readonly string[] => problems.map((text) => text.split(" ", 1)[0] ?? "");

test("[CFG370] without a key of the cluster the node is alone, with any it is not", () => {
  const alone = load("node.roles=edge", "node.public.cluster=127.0.0.1:7935");
  assert.deepEqual([alone.isClustered, alone.engine.kind], [false, "auto"]);
  for (const set of ["cluster.port=0", "cluster.seeds=127.0.0.1:7936", "cluster.host=127.0.0.1", SECRET]) {
    const config = load(set);
    assert.deepEqual([config.isClustered, config.engine.kind], [true, "auto"], set);
  }
  assert.equal(load("cluster.port=0", "engine.kind=off").engine.kind, "off");
  assert.equal(load("engine.kind=redis", "engine.url=redis://127.0.0.1:6379", "cluster.port=0").engine.kind, "redis");
});

test("[CFG190] an application is shared by a cluster unless it is said to be local, and no node is as a whole", () => {
  const config = load("applications.mine.cluster=local");
  assert.deepEqual(
    ["mine", "ours"].map((app) => config.forApplication(app).cluster),
    ["local", "shared"],
  );
  assert.deepEqual(paths(problemsOf("cluster=local")), ["cluster"]);
  assert.deepEqual(paths(problemsOf("applications.mine.cluster=off")), ["applications.mine.cluster"]);
  const fromFile = "applications:\n  mine:\n    cluster: local\n    objects: off\n";
  const { cluster, objects } = loadConfig({ env: {}, readFile: () => fromFile }).forApplication("mine");
  assert.deepEqual([cluster, objects], ["local", "off"]);
});

test("[CFG371] seeds have an address and properties, and print as they are read", () => {
  const { seeds } = load(
    "cluster.seeds=10.0.0.1:7935?type=master&zone=a%2Cb, [::1]:7936, media.example.org:1",
    SECRET,
  ).cluster;
  assert.deepEqual(seeds, [
    { host: "10.0.0.1", port: 7935, properties: { type: "master", zone: "a,b" } },
    { host: "::1", port: 7936, properties: {} },
    { host: "media.example.org", port: 1, properties: {} },
  ]);
  for (const seed of seeds) assert.deepEqual(SEED.read(SEED.print(seed), "/"), { value: seed });
  for (const bad of ["media", "media:0", "media:70000", "::1:7935", "m:1?=x", "m:1?a=1&a=2", "m:1?"]) {
    const isRefused = problemsOf(`cluster.seeds=${bad}`, SECRET).length > 0;
    assert.equal(isRefused, bad !== "m:1?", bad);
  }
});

test("[CFG372] what leaves the machine needs a proof", () => {
  assert.deepEqual(problemsOf("cluster.host=127.0.0.1", "cluster.seeds=localhost:7936,[::1]:7937"), []);
  const open = ["cluster.host=0.0.0.0", "cluster.seeds=127.0.0.1:1,media:2", "node.public.cluster=media:3"];
  assert.deepEqual(problemsOf(...open), [
    "cluster.host is beyond this machine, which needs cluster.secret (or cluster.tls.ca)",
    "cluster.seeds has media:2, beyond this machine, which needs cluster.secret (or cluster.tls.ca)",
    "node.public.cluster is beyond this machine, which needs cluster.secret (or cluster.tls.ca)",
  ]);
  assert.deepEqual(problemsOf(...open, SECRET), []);
  assert.deepEqual(problemsOf("cluster.secret=too short"), ["cluster.secret must be text of at least 16 characters"]);
});

test("[CFG373] halves are refused, each by its key", () => {
  assert.deepEqual(paths(problemsOf("cluster.tls.cert=/t/c.pem")), ["cluster.tls.cert", "cluster.tls.key"]);
  assert.ok(paths(problemsOf("cluster.tls.ca=/t/ca.pem")).includes("cluster.tls.ca"));
  assert.deepEqual(paths(problemsOf("cluster.secretAlso=a secret of the tests")), ["cluster.secretAlso"]);
  assert.deepEqual(paths(problemsOf("node.roles=origin,voter", "cluster.port=0")), ["node.roles"]);
  assert.deepEqual(paths(problemsOf("node.roles=")), ["node.roles"]);
  assert.deepEqual(load("node.roles=voter", "cluster.voters=a,b").cluster.voters, ["a", "b"]);
});

test("[CFG374] the port of the cluster is one of the ports", () => {
  assert.equal(loadConfig({ ...sourcesOf([SECRET]), instance: "2" }).cluster.port, 7937);
  assert.deepEqual(paths(problemsOf("cluster.port=8080")), ["cluster.port"]);
  assert.deepEqual(problemsOf("http.port=7935", "cluster.port=off"), []);
  assert.deepEqual(problemsOf("http.port=7935"), []);
});

test("[CFG375] secrets change while the node runs, and make no cluster of a node alone", () => {
  const files: Record<string, string> = { "/t/old": "the old secret of it", "/t/new": "the new secret of it" };
  const first = loadConfig(sourcesOf(["cluster.secretFile=/t/old"], files));
  const sets = ["cluster.secretFile=/t/old", "cluster.secretAlsoFile=/t/new"];
  const { config, changed, kept } = rereadConfig(sourcesOf(sets, files), first);
  assert.deepEqual([changed.toSorted(), kept], [["cluster.secretAlsoFile"], []]);
  assert.deepEqual(
    [config.secrets.clusterSecret, config.secrets.clusterSecretAlso],
    ["the old secret of it", "the new secret of it"],
  );
  const alone = loadConfig(sourcesOf([]));
  const reread = rereadConfig(sourcesOf([SECRET]), alone);
  assert.deepEqual([reread.changed, reread.kept.toSorted()], [[], ["cluster.secret"]]);
  assert.deepEqual([reread.config.isClustered, reread.config.engine.kind], [false, "auto"]);
});

test("[NOD407] a voter has no RTMP unless it is set, and may have no port for clients at all", () => {
  const voter = ["cluster.port=0", "node.roles=voter"];
  assert.equal(load(...voter).rtmp.port, "off");
  assert.equal(load(...voter, "rtmp.port=1936").rtmp.port, 1936);
  assert.equal(load("cluster.port=0", "node.roles=edge").rtmp.port, 1935);
  assert.deepEqual(problemsOf(...voter, "http.port=off"), []);
  assert.deepEqual(paths(problemsOf("node.roles=voter", "http.port=off")), ["http.port"]);
});

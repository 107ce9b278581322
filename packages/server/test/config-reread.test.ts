/** SIGHUP's reading: what may change while a node runs changes, what may not is named, what is wrong changes nothing. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reread } from "@sluice/server/cli/reread";
import { ConfigError } from "@sluice/server/config/config-error";
import { KEYS } from "@sluice/server/config/keys";
import { derived } from "@sluice/base/derived";
import { LiveConfig } from "@sluice/server/config/live-config";
import { type ConfigSources, loadConfig, rereadConfig } from "@sluice/server/config/load-config";
import { LogRecorder } from "./sessions-fixture.ts";
import { RENEWED_CERT, RENEWED_KEY, TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

/** Files that a test rewrites, and how they are read. */
class Disk {
  readonly files: Record<string, string>;
  readonly sources: ConfigSources;

  constructor(files: Record<string, string>) {
    this.files = files;
    const readFile = (path: string): string => {
      const text = this.files[path];
      if (text === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: "ENOENT" });
      return text;
    };
    this.sources = { env: {}, cwd: "/t", hostname: "box", readFile };
  }

  write(yaml: string): void {
    this.files["/t/sluice.yaml"] = yaml;
  }
}

test("[CFG180] keys that may change while running get their new values, for the node and its applications", () => {
  const disk = new Disk({ "/t/sluice.yaml": "play.wait: 5s\nlimits.publishers: 3\napplications.live.play.wait: 1s\n" });
  const settings = new LiveConfig(loadConfig(disk.sources));
  const { view } = settings;
  disk.write("play.wait: 7s\nauth.address.deny: 10.0.0.0/8\napplications.show.play.wait: 2s\n");
  const { config, changed, kept } = rereadConfig(disk.sources, settings.now);
  settings.replace(config);
  assert.deepEqual(changed.toSorted(), [
    "applications.live.play.wait",
    "applications.show.play.wait",
    "auth.address.deny",
    "limits.publishers",
    "play.wait",
  ]);
  assert.deepEqual(kept, []);
  assert.deepEqual([view.play.wait, view.limits.publishers], [7_000, 2_000]);
  const waits = ["live", "show", "other"].map((app) => view.forApplication(app).play.wait);
  assert.deepEqual(waits, [7_000, 2_000, 7_000]);
});

test("[CFG181] keys that cannot change keep their values and are named; the rest of the file holds", () => {
  const disk = new Disk({ "/t/sluice.yaml": "rtmp.port: 1000\nlimits.publishers: 3\n" });
  const settings = new LiveConfig(loadConfig(disk.sources));
  const recorder = new LogRecorder();
  disk.write("rtmp.port: 1001\ndata.dir: /elsewhere\nlimits.publishers: 4\n");
  reread(settings, disk.sources, recorder.log);
  assert.deepEqual([settings.view.rtmp.port, settings.view.limits.publishers], [1_000, 4]);
  assert.equal(settings.view.data.dir, "/t/data");
  const [warning] = recorder.of("These keys cannot change while the node runs: restart it for them");
  assert.deepEqual(warning, { keys: ["data.dir", "rtmp.port"] });
  assert.deepEqual(recorder.of("Configuration reread"), [{ changed: ["limits.publishers"] }]);
  reread(settings, disk.sources, recorder.log);
  assert.deepEqual(recorder.of("Configuration reread").at(-1), { changed: [] });
});

test("[CFG187] a file that lost all its keys, or is a pipe now, changes nothing and holds up nobody", () => {
  const disk = new Disk({ "/t/sluice.yaml": "limits.publishers: 3\nadmin.token: a-token-of-sixteen\n" });
  const settings = new LiveConfig(loadConfig(disk.sources));
  for (const text of ["", "# only words\n"]) {
    disk.write(text);
    const recorder = new LogRecorder();
    reread(settings, disk.sources, recorder.log);
    const [told] = recorder.of("Configuration cannot be used: everything stays as it was");
    assert.match(String(told?.["problems"]), /sluice\.yaml.*has no key any more/);
    assert.equal(settings.view.secrets.adminToken, "a-token-of-sixteen");
  }
  const folder = mkdtempSync(join(tmpdir(), "sluice-reread-"));
  const file = join(folder, "sluice.yaml");
  execFileSync("mkfifo", [file]);
  assert.throws(() => rereadConfig({ env: {}, file, hostname: "box" }, settings.now), /no regular file/);
  rmSync(folder, { recursive: true });
});

test("[CFG182] a configuration that cannot be used is told with every problem, and changes nothing", () => {
  const disk = new Disk({
    "/t/sluice.yaml": "rtmps.port: 0\ntls.cert: cert\ntls.key: key\n",
    "/t/cert": TEST_CERT,
    "/t/key": TEST_KEY,
  });
  const settings = new LiveConfig(loadConfig(disk.sources));
  const before = settings.now;
  const wrong = [
    ["play.wiat: 5s\nlimits.publishers: many\n", /play\.wiat.*play\.wait[^]*limits\.publishers/],
    ["rtmps: [\n", /sluice\.yaml/],
    ["tls.cert: nowhere\ntls.key: key\n", /tls\.cert.*no such file/],
    ["limits.publishers: 5\n", /rtmps\.port.*needs tls\.cert/], // good alone, but the listener stays open
  ] as const;
  for (const [yaml, expected] of wrong) {
    const recorder = new LogRecorder();
    disk.write(yaml);
    reread(settings, disk.sources, recorder.log);
    const [error] = recorder.of("Configuration cannot be used: everything stays as it was");
    assert.match((error?.["problems"] as string[]).join("\n"), expected);
    assert.equal(recorder.lines.length, 1);
    assert.equal(settings.now, before);
  }
  disk.write("limits.publishers: many\n");
  assert.throws(() => rereadConfig(disk.sources, before), ConfigError);
});

test("[CFG183] files that keys name are read again, and named when they differ", () => {
  const yaml = "https.port: 0\ntls.cert: cert\ntls.key: key\nadmin.tokenFile: token\n";
  const files = { "/t/cert": TEST_CERT, "/t/key": TEST_KEY, "/t/token": "0123456789abcdef" };
  const disk = new Disk({ "/t/sluice.yaml": yaml, ...files });
  const settings = new LiveConfig(loadConfig(disk.sources));
  Object.assign(disk.files, { "/t/cert": RENEWED_CERT, "/t/key": RENEWED_KEY, "/t/token": "fedcba9876543210\n" });
  const { config, changed } = rereadConfig(disk.sources, settings.now);
  assert.deepEqual(changed.toSorted(), ["admin.tokenFile", "tls.cert", "tls.key"]);
  assert.deepEqual([config.secrets.adminToken, config.secrets.tlsCert], ["fedcba9876543210", RENEWED_CERT]);
});

test("[CFG184] a part that was made of the configuration is made again after a change, and only then", () => {
  const disk = new Disk({ "/t/sluice.yaml": "" });
  const settings = new LiveConfig(loadConfig(disk.sources));
  let madeCount = 0;
  const rules = derived(
    () => settings.view.auth,
    (auth) => ({ deny: auth.address.deny, number: ++madeCount }),
  );
  assert.equal(rules(), rules());
  disk.write("auth.address.deny: 10.0.0.0/8\n");
  settings.replace(rereadConfig(disk.sources, settings.now).config);
  assert.deepEqual(rules(), { deny: ["10.0.0.0/8"], number: 2 });
});

test("[CFG185] what opens ports, names the node or sizes its connections holds until a restart", () => {
  const fixed = [...KEYS].filter(([, { running }]) => running !== true).map(([path]) => path);
  for (const path of ["node.id", "data.dir", "listen.host", "rtmp.port", "https.port", "engine.kind", "rtmp.chunkSize"])
    assert.ok(fixed.includes(path), path);
  for (const path of ["auth.publish", "admin.tokenFile", "tls.cert", "limits.connections", "log.level"])
    assert.ok(!fixed.includes(path), path);
});

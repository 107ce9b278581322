/** Certificates that change: noticed on disk, refused when they do not fit, and no connection notices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TlsCertificate, type TlsPair } from "@sluice/runtime/sockets/tls-certificate";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { LogRecorder } from "../../server/test/sessions-fixture.ts";
import { RENEWED_CERT, RENEWED_KEY, TEST_CERT, TEST_KEY } from "./tls-fixture.ts";

const OLD: TlsPair = { cert: TEST_CERT, key: TEST_KEY };
const RENEWED: TlsPair = { cert: RENEWED_CERT, key: RENEWED_KEY };
const CHANGED = "TLS certificate changed: new connections get it, present ones go on";
const UNUSABLE = "TLS files have changed and cannot be used: the certificate in use stays";
const UNREADABLE = "TLS files cannot be read: the certificate in use stays";

function world() {
  const clock = new FakeClock();
  const recorder = new LogRecorder();
  const files: Record<string, string | undefined> = { cert: OLD.cert, key: OLD.key };
  const certificate = new TlsCertificate({
    pair: OLD,
    files: () => ({ cert: "cert", key: "key" }),
    clock,
    log: recorder.log,
    read: (path) => {
      const text = files[path];
      return text === undefined ? Promise.reject(new Error(`no such file ${path}`)) : Promise.resolve(text);
    },
  });
  const given: TlsPair[] = [];
  certificate.attach({ setSecureContext: (pair) => void given.push(pair) });
  return { clock, recorder, files, certificate, given };
}

test("[LST180] files that change on disk are noticed and given to every listener once", async () => {
  const { clock, recorder, files, certificate, given } = world();
  await clock.advanceAsync(11_000);
  assert.deepEqual([given.length, recorder.lines.length], [0, 0]);
  Object.assign(files, { cert: RENEWED.cert, key: RENEWED.key });
  await clock.advanceAsync(11_000);
  assert.deepEqual(given, [RENEWED]);
  assert.equal(certificate.pair, given[0]);
  const [line] = recorder.of(CHANGED);
  assert.equal(line?.["subject"], "CN=renewed1.sluice.test");
  assert.ok(Date.parse(String(line?.["validTo"])) > 0);
  assert.equal(recorder.lines.length, 1);
  certificate[Symbol.dispose]();
  assert.equal(clock.pendingCount, 0);
});

test("[LST181] a pair that is half written is given time; one that does not fit is told once, and the old one stays", async () => {
  const { clock, recorder, files, given } = world();
  files["cert"] = RENEWED.cert;
  await clock.advanceAsync(5_000);
  assert.equal(recorder.lines.length, 0);
  files["key"] = RENEWED.key;
  await clock.advanceAsync(5_000);
  assert.deepEqual(given, [RENEWED]);
  files["key"] = OLD.key;
  await clock.advanceAsync(30_000);
  assert.deepEqual(recorder.of(UNUSABLE), [{ problems: ["tls.key is not the key of the certificate"] }]);
  files["cert"] = "no certificate";
  await clock.advanceAsync(30_000);
  assert.equal(recorder.of(UNUSABLE).length, 2);
  files["cert"] = undefined;
  await clock.advanceAsync(30_000);
  assert.equal(recorder.of(UNREADABLE).length, 1);
  assert.deepEqual(given, [RENEWED]);
  Object.assign(files, OLD);
  await clock.advanceAsync(5_000);
  assert.deepEqual(given, [RENEWED, OLD]);
});

test("[LST320] files that can be read and used again are told once, the present pair or another", async () => {
  const { clock, recorder, files, given } = world();
  const AGAIN = "TLS files can be used again";
  files["key"] = undefined;
  await clock.advanceAsync(11_000);
  assert.deepEqual([recorder.of(UNREADABLE).length, recorder.of(AGAIN).length], [1, 0]);
  files["key"] = RENEWED.key;
  await clock.advanceAsync(11_000);
  assert.deepEqual([recorder.of(UNUSABLE).length, recorder.of(AGAIN).length], [1, 0]);
  files["key"] = OLD.key;
  await clock.advanceAsync(11_000);
  assert.deepEqual([recorder.of(AGAIN).length, given], [1, []]);
  files["cert"] = undefined;
  await clock.advanceAsync(11_000);
  Object.assign(files, RENEWED);
  await clock.advanceAsync(11_000);
  assert.deepEqual([recorder.of(AGAIN).length, given], [2, [RENEWED]]);
});

test("[LST181] a pair that is given and does not fit is answered with what is wrong, and the old one stays", () => {
  const { certificate, given } = world();
  const problems = certificate.use({ cert: RENEWED.cert, key: OLD.key });
  assert.deepEqual(problems, ["tls.key is not the key of the certificate"]);
  assert.deepEqual([certificate.pair, given], [OLD, []]);
});

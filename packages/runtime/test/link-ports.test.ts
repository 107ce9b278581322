/** Links on real sockets: one port for TLS and plain connections, certificates that are looked at or not. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import type { Incarnation } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { Mesh } from "@sluice/mesh/mesh";
import { LinkListener, type LinkTls, SocketDialler } from "@sluice/runtime/links/link-ports";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { selfSignedPair } from "@sluice/runtime/sockets/self-signed";
import { SystemClock } from "@sluice/runtime/system-clock";
import { startChild } from "@sluice/testkit/child";
import { pauseChild } from "@sluice/testkit/process-faults";
import { until } from "@sluice/testkit/until";
import { RENEWED_CERT, RENEWED_KEY, TEST_CERT, TEST_KEY } from "./tls-fixture.ts";

const PLAIN = { plain: "within-this-machine" } as const;
const OWN = { cert: TEST_CERT, key: TEST_KEY };

interface End extends AsyncDisposable {
  readonly mesh: Mesh;
  readonly address: string;
  /** Why connections ended before they were links. */
  readonly failures: string[];
}

/** One node with a port. @param dials  what its dialler does about TLS, where that is not as its listener */
async function end(id: string, listens: LinkTls | undefined, dials: LinkTls | undefined = listens): Promise<End> {
  const failures: string[] = [];
  const clock = new SystemClock();
  const dialler = new SocketDialler(dials);
  const mesh = new Mesh({
    own: () => ({ id, incarnation: 1 as Incarnation, purpose: "node", facts: new Map() }),
    secrets: () => [Buffer.from("a secret of the tests")],
    judge: () => undefined,
    crypto: NODE_CRYPTO,
    dialler,
    clock,
    defer: (action) => process.nextTick(action),
    random: Math.random,
    limits: DEFAULT_LINK_LIMITS,
    timings: DEFAULT_LINK_TIMINGS,
    listener: {
      up: () => {},
      happened: () => {},
      down: () => {},
      failed: (_, error) => void failures.push(error.message),
    },
  });
  const listener = new LinkListener({
    name: "test",
    mesh,
    tls: listens,
    strangers: { strangers: 3, strangersPerAddress: 3, handshake: 60_000 as Millis, exempt: [] },
    clock,
    log: SILENT_LOG,
    meter: SILENT_METER,
    refused: (error) => void failures.push(error.message),
  });
  const address = await listener.open({ host: "127.0.0.1", port: 0 });
  const close = async (): Promise<void> => {
    mesh.close("over");
    await Promise.all([listener.close(), dialler.close()]);
  };
  return { mesh, address, failures, [Symbol.asyncDispose]: close };
}

const dial = (from: End, to: End): void => from.mesh.reach(new Map([["it", { address: to.address, to: "" }]]));

const linked = (one: End, other: End): Promise<unknown> =>
  until("the link", () => one.mesh.links.size > 0 && other.mesh.links.size > 0);

test("[NOD20] one port takes links with and without TLS from this machine", async () => {
  await using b = await end("b", { ...OWN, ...PLAIN });
  await using plain = await end("a", { ...OWN, ...PLAIN });
  dial(plain, b);
  await linked(plain, b);
  await using encrypted = await end("c", OWN, {}); // without a certificate of its own
  dial(encrypted, b);
  await until("both links", () => b.mesh.links.size === 2);
  assert.deepEqual([...b.mesh.links.keys()].sort(), ["a", "c"]);
  assert.deepEqual(b.failures, []);
});

test("[NOD20] a port that demands TLS takes nothing else", async () => {
  await using b = await end("b", OWN);
  await using a = await end("a", { ...OWN, ...PLAIN });
  dial(a, b);
  await until("a refusal", () => b.failures.length > 0);
  assert.match(b.failures[0] ?? "", /SSL|TLS|wrong version|packet/i);
  assert.equal(b.mesh.links.size, 0);
});

test("[NOD21] a certificate of its own making serves a link", async () => {
  const pair = await selfSignedPair("node a", Date.now() as Millis);
  assert.equal(new X509Certificate(pair.cert).subject, "CN=node a");
  await using b = await end("b", pair);
  await using a = await end("a", OWN);
  dial(a, b);
  await until("the link", () => a.mesh.links.has("b") && b.mesh.links.has("a"));
});

test("[NOD21] with authorities both sides must show a certificate of theirs", async () => {
  await using b = await end("b", { ...OWN, ca: TEST_CERT });
  await using good = await end("good", { ...OWN, ca: TEST_CERT });
  dial(good, b);
  await until("the link", () => b.mesh.links.has("good"));
  await using without = await end("without", OWN, {});
  dial(without, b);
  await until("a refusal", () => b.failures.length > 0 && without.failures.length > 0);
  await using foreign = await end("foreign", { cert: RENEWED_CERT, key: RENEWED_KEY, ca: TEST_CERT });
  dial(foreign, b);
  await until("its refusal", () => foreign.failures.length > 0);
  await using wary = await end("wary", { ...OWN, ca: RENEWED_CERT });
  dial(wary, b);
  await until("its own refusal", () => wary.failures.some((text) => /self.signed|certificate/i.test(text)));
  assert.deepEqual([...b.mesh.links.keys()], ["good"]);
});

test("[NOD22] whoever says nothing makes room, before a byte of TLS is read", async () => {
  await using b = await end("b", { ...OWN, ...PLAIN });
  const port = Number(b.address.split(":").at(-1));
  const ended: number[] = [];
  const sockets = Array.from({ length: 5 }, (_, i) =>
    connect(port, "127.0.0.1")
      .on("error", () => {})
      .on("close", () => void ended.push(i)),
  );
  await until("two that made room", () => ended.length === 2);
  await using a = await end("a", { ...OWN, ...PLAIN });
  dial(a, b);
  await until("the link", () => b.mesh.links.has("a"));
  for (const socket of sockets) socket.destroy();
});

/** Listens, then stands still: once its few places are taken, nobody answers whoever dials. */
const DEAF = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    console.log(server.address().port);
  });
`;

test("[MSH422] where nobody answers, not even with a refusal, a dial is given up and made again", async () => {
  await using deaf = startChild([process.execPath, "-e", DEAF]);
  const port = await deaf.waitForLine((line) => Number(line) || undefined);
  await pauseChild(deaf);
  const taken = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await using a = await end("a", { ...OWN, ...PLAIN });
  a.mesh.reach(new Map([["it", { address: `127.0.0.1:${port}`, to: "" }]]));
  await until("two dials that were given up", () => a.failures.length >= 2);
  assert.match(a.failures[0] ?? "", /No connection within/);
  for (const socket of taken) socket.destroy();
});

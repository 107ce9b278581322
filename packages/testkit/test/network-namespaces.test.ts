/** Programs in namespaces reach each other, until they are cut, and again after healing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Child, startChild } from "@sluice/testkit/child";
import { NetworkNamespaces, whyNoNamespaces } from "@sluice/testkit/network-namespaces";

/** Answers each line with "pong" and the line. */
const SERVER = `
  const server = require("node:net").createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.write("pong " + bytes));
  });
  server.listen(7000, "0.0.0.0", () => console.log(JSON.stringify({ event: "ready" })));
`;
/** Says each line that it hears from stdin over one connection, and prints what comes back. */
const CLIENT = `
  const socket = require("node:net").connect(7000, process.argv[1], () => console.log(JSON.stringify({ event: "ready" })));
  socket.on("data", (bytes) => console.log(String(bytes).trim()));
  process.stdin.on("data", (bytes) => socket.write(bytes));
`;

const NAMES = ["n1", "n2", "n3"] as const;

test("namespaces are cut and healed, in one direction and in both", async (t) => {
  const why = await whyNoNamespaces();
  if (why !== undefined) {
    process.stderr.write(`SKIPPED 1 test: no network namespaces here: ${why}\n`);
    return t.skip(why);
  }
  await using spaces = await NetworkNamespaces.create(NAMES);
  await using stack = new AsyncDisposableStack();
  const start = async (name: string, ...argv: string[]): Promise<Child> => {
    const child = stack.use(startChild(spaces.inside(name, [process.execPath, "-e", ...argv])));
    await child.waitForEvent("ready");
    return child;
  };
  await start("n2", SERVER);
  const near = await start("n1", CLIENT, spaces.addressOf("n2"));
  const far = await start("n3", CLIENT, spaces.addressOf("n2"));

  await hears(near, "one");
  await spaces.partition([["n1"], ["n2", "n3"]]);
  near.write("two\n");
  await hears(far, "three");
  assert.doesNotMatch(near.output(), /pong two/);
  await spaces.heal();
  await said(near, "pong two");

  await spaces.cut("n2", "n1");
  near.write("four\n");
  await hears(far, "five");
  assert.doesNotMatch(near.output(), /pong four/);
  await spaces.heal();
  await said(near, "pong four");

  await spaces.unplug("n1");
  near.write("six\n");
  await hears(far, "seven");
  assert.doesNotMatch(near.output(), /pong six/);
  await spaces.plug("n1");
  await said(near, "pong six");
});

async function hears(child: Child, word: string): Promise<void> {
  child.write(`${word}\n`);
  await said(child, `pong ${word}`);
}

async function said(child: Child, line: string): Promise<void> {
  await child.waitForLine((text) => (text === line ? true : undefined), 10_000);
}

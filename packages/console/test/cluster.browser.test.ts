// The cluster's page in a real browser, on a fake server: picture, details, drain, events, a lone node, small screens.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { consoleForTests } from "./console-page.ts";
import { SELF, three, twelve } from "./fake-nodes.ts";
import type { FakeServer } from "./fake-server.ts";

const open = consoleForTests();

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

test("[CON405] a click or a key on a node shows its row, in the picture as in the list", async () => {
  await using console = await open(three, "#/cluster");
  const { page, faults } = console;
  await page.locator('[data-details="media-1"]').waitFor();
  assert.equal(await page.locator(".map-line:not(.is-missing)").count(), 2);
  await page.getByRole("button", { name: /^media-3, ready, voter, 1\s840 sessions, heat 72 %$/ }).click();
  const details = page.locator('[data-details="media-3"]');
  await details.waitFor();
  const text = await details.innerText();
  for (const part of ["media-3.example:7935", "1790000100", "3.1 ms", "1 h 06 m", "voter", "72 %"])
    assert.ok(text.includes(part), `"${part}" is in: ${text}`);
  await page.locator('[data-node="media-2"]').focus();
  await page.keyboard.press("Enter");
  await page.locator('[data-details="media-2"]').waitFor();
  assert.equal(await page.locator('[data-node="media-2"]').getAttribute("aria-pressed"), "true");
  await page.locator('[data-row="media-3"]').getByRole("button").focus();
  await page.keyboard.press("Space");
  await details.waitFor();
  assert.deepEqual(faults, []);
});

test("[CON402] each link shows its round trip and what it carries", async () => {
  await using console = await open(three, "#/cluster");
  const { page } = console;
  await page.locator(".map-dot.pace-fast").first().waitFor();
  const labels = await page.locator(".map-label").allInnerTexts();
  assert.match(labels.toSorted().join(), /^0\.42 ms\n\S+ [kM]b\/s,3\.1 ms\n\S+ Mb\/s$/);
});

test("[CON406] drain asks first, and then asks the server", async () => {
  await using console = await open(three, "#/cluster");
  const { page, server } = console;
  await page.locator('[data-node="media-2"]').click();
  await page.getByRole("button", { name: "Drain media-2" }).click();
  await page.getByRole("button", { name: "Keep" }).click();
  assert.deepEqual(server.changes, []);
  await page.getByRole("button", { name: "Drain media-2" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain", exact: true }).click();
  await page.getByText("Node media-2 is draining").waitFor();
  assert.deepEqual(server.changes, ["POST /nodes/media-2/drain"]);
});

test("[CON403] [CON407] a suspect is seen as it happens, and nothing moves for it", async () => {
  await using console = await open(three, "#/cluster");
  const { page, server } = console;
  await page.locator('[data-node="media-3"].tone-good').waitFor();
  const places = async () =>
    Promise.all(
      ["[data-node=media-3]", "[data-details]", "[data-row=media-3]"].map((at) => page.locator(at).boundingBox()),
    );
  const before = await places();
  const at = new Date().toISOString();
  const lost = { state: "suspect", linked: false, heat: null, sessions: null, engine: null } as const;
  server.others = server.others.map((row) => (row.id === "media-3" ? { ...row, ...lost } : row));
  server.links = server.links.filter(({ peer }) => peer !== "media-3");
  server.silent = ["media-3"];
  server.isViewStale = true;
  server.send({ type: "link-down", at, peer: "media-3", reason: "silent" });
  server.send({ type: "node-suspect", at, id: "media-3", incarnation: 1_790_000_100 });
  await page.locator('[data-node="media-3"].state-suspect').waitFor();
  await page.locator(".map-line.is-missing").waitFor({ state: "attached" });
  await page.locator(".stale-mark").waitFor();
  assert.deepEqual(await places(), before);
  for (let i = 0; i < 250; i++)
    server.send({ type: "session-opened", at, id: `s-${i}`, protocol: "http-flv", address: "" });
  server.send({ type: "link-up", at, peer: "media-2", direction: "in" });
  await page.locator(".cluster-events", { hasText: "Linked with node media-2" }).waitFor();
  const told = await page.locator(".cluster-events").innerText();
  assert.match(told, /Node media-3 is suspect: no node hears it[\s\S]*Link to node media-3 ended/);
  assert.match(await page.locator(".cluster-advice").innerText(), /no node hears them: media-3/);
  await page.locator('[data-node="media-3"]').click();
  assert.match(
    await page.locator('[data-details="media-3"]').innerText(),
    /no node hears them[\s\S]*No link with this node/,
  );
});

test("[CON420] a missing voter, and a node that is not ready, are named with what to do and why", async () => {
  await using console = await open((server) => {
    three(server);
    const reasons = ["The state engine is not reachable yet"];
    server.others = server.others.map((row) => (row.id === "media-2" ? { ...row, state: "starting", reasons } : row));
    const voter = { role: "voter", address: "" } as const;
    server.engine = {
      kind: "gcache",
      leader: "media-1",
      members: [
        { ...voter, id: "media-3", present: true },
        { ...voter, id: "media-9", present: false },
      ],
    };
  }, "#/cluster");
  const advice = console.page.locator(".cluster-advice");
  await advice.getByText("media-9 is a voter of the state engine and is missing").waitFor();
  await advice.getByText("media-2 is not ready: The state engine is not reachable yet.").waitFor();
  await console.page.locator('[data-node="media-2"]').click();
  await console.page.locator('[data-details="media-2"]').getByText("not reachable yet").waitFor();
});

test("[CON408] a node without cluster keys says so and what to set; one with them waits for others", async () => {
  await using console = await open(() => {}, "#/cluster");
  await console.page.getByRole("heading", { name: "This node is alone" }).waitFor();
  const commands = await console.page.locator(".copy-value").allInnerTexts();
  assert.deepEqual(commands, [
    "./sluice --set cluster.port=7935",
    "./sluice --instance 1 --set cluster.seeds=127.0.0.1:7935",
  ]);
  await using first = await open((server) => void (server.node = SELF), "#/cluster");
  await first.page.getByText("start one with cluster.seeds=10.0.0.11:7935").waitFor();
});

for (const [many, prepare, nodes] of [
  ["one node", (server: FakeServer) => void (server.node = SELF), 1],
  ["three nodes", three, 3],
  ["twelve nodes", twelve, 12],
] as const) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`[CON407] [CON11] ${many} on a screen ${viewport.width} wide: all in the picture, no label on another`, async () => {
      await using console = await open(prepare, "#/cluster", viewport);
      const { page } = console;
      await page.locator(".map").waitFor();
      assert.equal(await page.locator(".map-node").count(), nodes);
      if (nodes > 1)
        await page
          .locator(".map-label", { hasText: /[1-9].* [kM]?b\/s/ })
          .first()
          .waitFor({ state: "attached" });
      assert.deepEqual(await collisions(page), []);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= viewport.width);
    });
  }
}

/** What overlaps in the picture, or sticks out of it, by its text. */
function collisions(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const map = document.querySelector(".map")?.getBoundingClientRect();
    const boxes = [...document.querySelectorAll<HTMLElement>(".map-words, .map-label, .map-disc, .map-note")]
      .map((element) => ({ text: element.innerText || "disc", box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    const found: string[] = [];
    for (const [index, { text, box }] of boxes.entries()) {
      if (!map || box.left < map.left || box.right > map.right || box.top < map.top || box.bottom > map.bottom)
        found.push(`${text} sticks out`);
      for (const other of boxes.slice(index + 1)) {
        const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (width > 1 && height > 1) found.push(`${text} over ${other.text}`);
      }
    }
    return found;
  });
}

test("[CON409] where motion is unwanted nothing flows", async () => {
  await using console = await open(three, "#/cluster");
  const { page } = console;
  await page.locator(".map-dot").first().waitFor();
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await page.locator(".map-dot").first().isVisible(), false);
  assert.equal(await page.locator(".map-line").count(), 2, "links are still shown");
});

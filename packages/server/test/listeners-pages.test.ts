/** Web pages over WebSocket: which may play, which may publish, and which only look like the server's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CorsRules } from "@sluice/server/http/cors";
import { PageRules } from "@sluice/server/http/page-rules";

const LISTED = "https://studio.example";

/** Origin and Host as a browser sends them, and what its page may. */
const PAGES: readonly (readonly [origin: string, host: string, mayPlay: boolean, mayPublish: boolean])[] = [
  ["http://127.0.0.1:8080", "127.0.0.1:8080", true, true],
  ["http://localhost:8080", "localhost:8080", true, true],
  ["http://[::1]:8080", "[::1]:8080", true, true],
  ["http://192.0.2.7:8080", "192.0.2.7:8080", true, true],
  ["https://media.example", "media.example", true, true],
  ["https://media.example", "media.example:443", true, true],
  ["http://node.example:8080", "node.example:8080", true, true],
  ["http://NODE.example:8080", "node.example:8080", true, true],
  ["http://rebound.example:8080", "rebound.example:8080", false, false],
  ["http://127.0.0.1:3000", "127.0.0.1:8080", false, false],
  ["http://localhost:8080", "127.0.0.1:8080", false, false],
  ["http://media.example", "media.example:443", false, false],
  ["https://media.example", "", false, false],
  ["null", "127.0.0.1:8080", false, false],
  ["", "127.0.0.1:8080", false, false],
  ["file://", "127.0.0.1:8080", false, false],
  ["http://127.0.0.1:8080, https://evil.example", "127.0.0.1:8080", false, false],
  ["https://viewer.example", "media.example", true, false],
  [LISTED, "media.example", false, true],
  ["https://studio.example.evil.example", "media.example", false, false],
];

for (const [origin, host, mayPlay, mayPublish] of PAGES) {
  test(`[LST151] a page of ${JSON.stringify(origin)} at ${JSON.stringify(host)}`, () => {
    const cors = new CorsRules(["https://viewer.example"]);
    const rules = new PageRules({ cors, publishOrigins: [LISTED], ownNames: ["node.example:8080"] });
    assert.deepEqual(rules.pageOf({ origin, host }), { origin, mayPlay, mayPublish });
  });
}

test("[LST151] by default every page may play, its own may publish; `*` lets every page publish; programs are no pages", () => {
  const cors = new CorsRules(["*"]);
  const usual = new PageRules({ cors, publishOrigins: [], ownNames: [] });
  const foreign = { origin: "https://evil.example", host: "127.0.0.1:8080" };
  assert.deepEqual(usual.pageOf(foreign), { origin: foreign.origin, mayPlay: true, mayPublish: false });
  const open = new PageRules({ cors, publishOrigins: ["*"], ownNames: [] });
  assert.equal(open.pageOf(foreign)?.mayPublish, true);
  assert.equal(usual.pageOf({ host: "127.0.0.1:8080" }), undefined);
});

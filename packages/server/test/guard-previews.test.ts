/** Previews: what an operator's right to watch opens, and all that it does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import type { AccessRequest, Verdict } from "@sluice/server/auth/access";
import { PREVIEW_LIFE } from "@sluice/server/auth/preview-rights";
import { guardOf, NEVER, requestOf, SECRET } from "./guard-fixture.ts";
import { openPublisher, openServer, sendGop, talk } from "./sessions-fixture.ts";

const GUARDED = ["auth.play=jwt", "auth.publish=jwt", `auth.jwt.secret=${SECRET}`];
const codeOf = (verdict: Verdict): string => (verdict.allow ? "allowed" : verdict.code);

const USES: readonly (readonly [says: string, Partial<AccessRequest>, code: string])[] = [
  ["its stream over HTTP-FLV", { protocol: "http-flv" }, "allowed"],
  ["its stream over WS-FLV", { protocol: "ws-flv" }, "allowed"],
  ["another stream", { protocol: "ws-flv", key: "live/other" }, "token-missing"],
  ["a key that begins like it", { protocol: "ws-flv", key: "live/cam2" }, "token-missing"],
  ["RTMP", { protocol: "rtmp" }, "token-missing"],
  ["publishing", { protocol: "rtmp", action: "publish" }, "token-missing"],
];

for (const [says, facts, code] of USES) {
  test(`[GRD210] a preview right and ${says}: ${code}`, async () => {
    const { guard } = guardOf(GUARDED);
    const query = `preview=${guard.previews.issue("live/cam").token}`;
    assert.equal(codeOf(await guard.decide(requestOf({ ...facts, query }), NEVER)), code);
  });
}

test("[GRD211] a preview right ends after half a minute, and is good for this process alone", async () => {
  const { guard, clock } = guardOf(GUARDED);
  const decide = async (query: string, by = guard): Promise<string> =>
    codeOf(await by.decide(requestOf({ protocol: "http-flv", query }), NEVER));
  const { token, expires } = guard.previews.issue("live/cam");
  assert.equal(expires, clock.wall() + PREVIEW_LIFE);
  assert.equal(await decide(`preview=${token}`), "allowed");
  assert.equal(await decide(`preview=${token}`, guardOf(GUARDED).guard), "token-missing");
  const [until = "", sign = ""] = token.split(".");
  const forged = [
    `${Number(until) + 1}.${sign}`,
    `${until}.${sign.slice(0, -1)}${sign.endsWith("A") ? "B" : "A"}`,
    `${until}.`,
    until,
    "",
    `${token}x`,
    `x${token}`,
  ];
  for (const one of forged) assert.equal(await decide(`preview=${one}`), "token-missing", one);
  assert.equal(await decide(`preview=${token}&preview=${token}`), "token-repeated");
  clock.advance(PREVIEW_LIFE - 1);
  assert.equal(await decide(`preview=${token}`), "allowed");
  clock.advance(1);
  assert.equal(await decide(`preview=${token}`), "token-missing");
});

test("[GRD212] rules for addresses hold for previews, too", async () => {
  const { guard } = guardOf([...GUARDED, "auth.address.playDeny=10.0.0.0/8"]);
  const query = `preview=${guard.previews.issue("live/cam").token}`;
  assert.equal(codeOf(await guard.decide(requestOf({ protocol: "http-flv", query }), NEVER)), "address-denied");
});

test("[GRD210] [ADM214] [LST3] the API gives a right that opens the stream; without, a viewer hears that it needs a token", async () => {
  const admin = "an-admin-token-of-some-length";
  await using server = await openServer(["auth.play=jwt", `auth.jwt.secret=${SECRET}`, `admin.token=${admin}`]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const url = `http://127.0.0.1:${server.httpPort}`;
  const ask = (key: string): Promise<Response> =>
    fetch(`${url}/api/v1/previews`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
      body: JSON.stringify({ key }),
    });
  const { key, token } = (await (await ask("/live/cam")).json()) as { key: string; token: string };
  assert.equal(key, "live/cam");
  const path = `/live/cam.flv?preview=${token}`;
  const get = (what: string, header = ""): Promise<string> =>
    talk(server.httpPort, `GET ${what} HTTP/1.1\r\nHost: box\r\n${header}\r\n`, (heard) =>
      heard.includes("\r\n\r\nFLV"),
    );
  assert.match(await get(path), /^HTTP\/1.1 200 [^]*\r\n\r\nFLV/);
  const webSocket = new WebSocket(`ws://127.0.0.1:${server.httpPort}${path}`);
  const [first] = (await once(webSocket, "message")) as [Buffer];
  assert.equal(first.subarray(0, 3).toString(), "FLV");
  webSocket.close();
  const refusal = /^HTTP\/1.1 401 [^]*"This stream needs a token to play"/;
  assert.match(await get("/live/cam.flv"), refusal);
  for (const header of [`Cookie: sluice_admin=${admin}\r\n`, `Authorization: Bearer ${admin}\r\n`])
    assert.doesNotMatch(
      await get("/live/cam.flv", header),
      /^HTTP\/1.1 200/,
      "the admin's own credential opens no stream",
    );
  assert.equal((await ask("..")).status, 400);
});

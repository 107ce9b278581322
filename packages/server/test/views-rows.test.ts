/** Rows and `stats` of a node with many streams, and with peers that say much of themselves. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { CLAIM_LIMITS } from "@sluice/base/claimed-text";
import type { SessionRow, StreamRow } from "@sluice/client/admin-contract";
import type { Frame } from "@sluice/media/frame";
import { ConfigDescriptions } from "@sluice/server/node/config-descriptions";
import { StatsRound } from "@sluice/server/node/stats-round";
import { until } from "@sluice/testkit/until";
import { STREAM } from "./admin-fakes.ts";
import { AVC_HEADER, openPublisher, openServer, RtmpPeer, sendGop } from "./sessions-fixture.ts";

const PIECE_BYTES = 20_000;

/** A round over streams that a test adds and removes. */
function roundOver(keys: readonly string[], agent = "") {
  const streams = new Map(keys.map((key) => [key, key]));
  let rowCount = 0;
  const round = new StatsRound({
    streams: { [Symbol.iterator]: () => streams.values() },
    rowOf(key): StreamRow {
      rowCount++;
      return { ...STREAM, key, publisher: { sessionId: "", protocol: "rtmp", address: "", agent } };
    },
    maxBytes: PIECE_BYTES,
  });
  return { streams, round, rowCount: () => rowCount };
}

const keysOf = (streams: readonly StreamRow[]): string[] => streams.map(({ key }) => key);
const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `live/${i}`);

test("[VIE210] few streams are told whole each time", () => {
  const { round } = roundOver(named(5));
  for (let second = 0; second < 3; second++) {
    const { streams, part } = round.next();
    assert.deepEqual([keysOf(streams), part], [named(5), "whole"]);
  }
  assert.deepEqual(roundOver([]).round.next(), { streams: [], part: "whole" });
});

test("[VIE210] many are told in pieces of bounded size, each once a round, and no row is made twice", () => {
  const { round, rowCount } = roundOver(named(500), "a".repeat(CLAIM_LIMITS.agentCharacters));
  for (let seconds = 0; seconds < 2; seconds++) {
    const told: string[] = [];
    const parts: string[] = [];
    do {
      const { streams, part } = round.next();
      assert.ok(JSON.stringify(streams).length < PIECE_BYTES + 2_000, "one row more at most");
      told.push(...keysOf(streams));
      parts.push(part);
    } while (parts.at(-1) !== "end");
    assert.deepEqual(told, named(500));
    assert.equal(parts[0], "begin");
    assert.ok(parts.length > 10 && parts.slice(1, -1).every((part) => part === "middle"));
  }
  assert.equal(rowCount(), 1_000);
});

test("[VIE210] streams that come and go within a round neither repeat others nor hide them", () => {
  const { round, streams } = roundOver(named(100));
  const told = keysOf(round.next().streams);
  for (const key of told) streams.delete(key);
  streams.delete("live/99");
  streams.set("live/new", "live/new");
  for (;;) {
    const piece = round.next();
    told.push(...keysOf(piece.streams));
    if (piece.part === "end") break;
  }
  assert.deepEqual(told, [...named(99), "live/new"]);
  assert.equal(round.next().part, "begin");
  round.reset();
  assert.equal(round.next().part, "begin", "whoever comes after a pause hears the round's beginning");
});

test("[VIE211] a set-up is read once, another one anew", () => {
  let reads = 0;
  const config = (level: number): Frame => {
    const data = AVC_HEADER.slice(5);
    data[3] = level;
    const frame = {
      codec: "avc1",
      get data() {
        return (reads++, data);
      },
    };
    return frame as unknown as Frame;
  };
  const descriptions = new ConfigDescriptions();
  const [old, fresh] = [config(0x1f), config(0x20)];
  for (let i = 0; i < 3; i++) assert.equal(descriptions.of(old)?.codecString, "avc1.64001f");
  assert.equal(reads, 1);
  assert.equal(descriptions.of(fresh)?.codecString, "avc1.640020");
  assert.equal(descriptions.of(undefined), undefined);
});

test("[VIE212] publishers, viewers and idle peers with long words of themselves have short rows", async () => {
  await using server = await openServer();
  const long = "😀".repeat(3_000);
  await using publisher = await openPublisher(server.rtmpPort, "cam", { flashVer: long, more: { pageUrl: long } });
  sendGop(publisher);
  await using idle = new RtmpPeer(server.rtmpPort, { app: "a".repeat(9_000), flashVer: long });
  const viewer = connect(server.httpPort, "127.0.0.1").resume();
  const words = `User-Agent: ${"u".repeat(6_000)}\r\nReferer: http://x/${"r".repeat(6_000)}`;
  viewer.write(`GET /live/cam.flv HTTP/1.1\r\nHost: box\r\n${words}\r\n\r\n`);
  let rows: readonly SessionRow[] = [];
  await until("three sessions", async () => {
    rows = ((await server.get("/api/v1/sessions")) as { sessions: readonly SessionRow[] }).sessions;
    return rows.length === 3 && rows.every(({ agent }) => agent !== "");
  });
  const { agentCharacters } = CLAIM_LIMITS;
  assert.deepEqual(
    rows.map(({ agent }) => agent.length),
    [agentCharacters, agentCharacters, agentCharacters],
  );
  assert.ok(rows.every((row) => JSON.stringify(row).length < 2_500));
  const { streams } = (await server.get("/api/v1/streams")) as { streams: readonly StreamRow[] };
  assert.deepEqual(
    streams.map(({ publisher: facts }) => facts?.agent),
    [long.slice(0, agentCharacters)],
  );
  viewer.destroy();
  assert.equal(idle.isClosed, false);
});

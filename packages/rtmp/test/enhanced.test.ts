/** Enhanced RTMP at connect, and the reconnect request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AmfObject, amfObject, type AmfValue, EcmaArray } from "@sluice/amf/value";
import { answerCapabilities, readCapabilities } from "@sluice/rtmp/capabilities";
import { Conversation } from "./ports.ts";
import { openServer } from "./raw-peer.ts";

const LEGACY = {
  fourCcs: undefined,
  videoFourCcs: undefined,
  audioFourCcs: undefined,
  reconnect: false,
  multitrack: false,
  modEx: false,
  nanosecondOffset: false,
  videoFunction: 0,
};

const CASES: readonly { says: string; sent: Record<string, AmfValue>; told: object }[] = [
  { says: "nothing", sent: {}, told: {} },
  { says: "a list", sent: { fourCcList: ["av01", "hvc1", 7] }, told: { fourCcs: new Set(["av01", "hvc1"]) } },
  { says: "any", sent: { fourCcList: ["av01", "*"] }, told: { fourCcs: "*" } },
  {
    says: "a list as ECMA array",
    sent: { fourCcList: new EcmaArray(amfObject({ 0: "vp09" })) },
    told: { fourCcs: new Set(["vp09"]) },
  },
  { says: "a list that is none", sent: { fourCcList: "av01", capsEx: "15" }, told: {} },
  {
    says: "all bits",
    sent: { capsEx: 15, videoFunction: 14 },
    told: { reconnect: true, multitrack: true, modEx: true, nanosecondOffset: true, videoFunction: 14 },
  },
  { says: "one bit", sent: { capsEx: 2 }, told: { multitrack: true } },
  {
    says: "info maps",
    sent: { videoFourCcInfoMap: { hvc1: 3, "*": 4 }, audioFourCcInfoMap: { Opus: 1 } },
    told: {
      videoFourCcs: new Map([
        ["hvc1", { canDecode: true, canEncode: true, canForward: false }],
        ["*", { canDecode: false, canEncode: false, canForward: true }],
      ]),
      audioFourCcs: new Map([["Opus", { canDecode: true, canEncode: false, canForward: false }]]),
    },
  },
];

for (const { says, sent, told } of CASES) {
  test(`[ERT1] capabilities: ${says}`, () => {
    assert.deepEqual(readCapabilities(sent), { ...LEGACY, ...told });
  });
}

test("[ERT2] the answer has what was sent, and no more", () => {
  assert.deepEqual(answerCapabilities({ app: "live" }), {});
  assert.deepEqual(answerCapabilities({ capsEx: 1 }), { capsEx: 15 });
  const list = answerCapabilities({ fourCcList: ["av01"] })["fourCcList"] as readonly string[];
  for (const fourCc of [
    "avc1",
    "hvc1",
    "vvc1",
    "vp08",
    "vp09",
    "av01",
    "mp4a",
    "Opus",
    "fLaC",
    "ac-3",
    "ec-3",
    ".mp3",
    "*",
  ])
    assert.ok(list.includes(fourCc), fourCc);
  const maps = answerCapabilities({ videoFourCcInfoMap: {}, audioFourCcInfoMap: {} });
  assert.deepEqual(Object.keys(maps), ["videoFourCcInfoMap", "audioFourCcInfoMap"]);
  assert.equal((maps["videoFourCcInfoMap"] as AmfObject)["*"], 4);
});

test("[ERT2] [ERT3] the client finds the answer in its result, and follows a reconnect request", () => {
  const conversation = new Conversation();
  conversation.client.start({ app: "live", tcUrl: "rtmp://a/live", fourCcList: ["*"], capsEx: 1 });
  conversation.run();
  const connected = conversation.clientEvents.find((event) => event.type === "connected");
  assert.equal(connected?.information["capsEx"], 15);
  assert.equal(connected?.properties["capsEx"], 15);
  assert.equal(connected?.properties["videoFourCcInfoMap"], undefined);
  assert.equal(conversation.server.requestReconnect({ tcUrl: "rtmp://b/live", description: "Draining" }), "sent");
  conversation.run();
  assert.deepEqual(conversation.clientEvents.at(-1), {
    type: "reconnect-request",
    tcUrl: "rtmp://b/live",
    description: "Draining",
  });
});

test("[ERT3] no reconnect request to a client that did not say it can", () => {
  const { server } = openServer();
  assert.equal(server.requestReconnect({ tcUrl: "rtmp://b/live" }), "not-supported");
  assert.equal(server.nextOutput(), undefined);
});

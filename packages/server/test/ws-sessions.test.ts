/** Sessions of sluice.v1: who may say what and when, how much of it, and what ends them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AmfDictionary, amfObject, AmfVector, EcmaArray, TypedObject, XmlDocument } from "@sluice/amf/value";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import type { ClientMessage } from "@sluice/client/contract/sluice-v1";
import type { Admission } from "@sluice/server/auth/access";
import { OBJECT_SESSION_LIMITS } from "@sluice/server/sessions/limits";
import { setWish } from "@sluice/state/wishes";
import { turns, type WsPeer, WsWorld } from "./ws-world.ts";

const CONNECT = { type: "connect", id: 1 } as const;

function write(id: number, name: string, value: PlainValue): ClientMessage {
  return { type: "write", id, object: "room/ball", operations: [{ type: "set", name, value }] };
}

/** Shape of what was heard: enough to compare, without positions. */
function shapes(peer: WsPeer): string[] {
  return peer.heard().map(({ type, id, status, code, detail }) => [type, id, status, code, detail].join(" ").trim());
}

test("[SLV11] an id must be higher than all before, and each request has its one answer", async () => {
  const peer = await new WsWorld().player();
  await peer.say({ type: "ping", id: 7 });
  await peer.say({ type: "ping", id: 7 });
  await peer.say(write(3, "x", 1));
  await peer.say({ type: "connect", id: 8 });
  assert.deepEqual(shapes(peer), [
    "answer 7 success",
    "answer 7 refused bad-request id",
    "answer 3 refused bad-request id",
    "answer 8 refused bad-request type",
  ]);
});

const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  "no JSON": "{",
  "another encoding": Uint8Array.of(0x80),
  "a request without an id": '{"type":"ping"}',
  "an id that is a fraction": '{"type":"ping","id":2.5}',
  "an id that is text": '{"type":"wish","id":"2"}',
  "an id below 1": '{"type":"ping","id":0}',
  "a bad value in a request without an id": '{"type":"call","method":"m","arguments":[{"$date":0.5e400}]}',
};

for (const [says, payload] of Object.entries(MALFORMED)) {
  test(`[SLV12] ends its session with 4000, is counted, and disturbs nobody else: ${says}`, async () => {
    const world = new WsWorld();
    const peer = await world.player();
    const other = await world.player();
    await peer.send(payload);
    assert.equal(peer.transport.closing?.code, 4000);
    assert.deepEqual(world.ended, ["wire-error"]);
    assert.equal(world.counts.get("wire_errors_total WIRE_SLUICE_MESSAGE"), 1);
    await other.say({ type: "ping", id: 3 });
    assert.deepEqual(shapes(other), ["answer 3 success"]);
  });
}

test("[SLV12] the first message is connect, and nothing else", async () => {
  const world = new WsWorld();
  for (const first of [
    { type: "ping", id: 1 },
    { type: "open", id: 1, name: "ball" },
  ] as const) {
    const peer = world.open();
    await peer.say(first);
    assert.equal(peer.transport.closing?.code, 4000);
  }
});

test("[SLV13] what is sent behind connect waits for the verdict: done when it is allowed, never looked at when it is not", async () => {
  for (const allow of [true, false]) {
    const verdict = Promise.withResolvers<Admission>();
    const world = new WsWorld({ guard: { decide: () => verdict.promise } });
    const peer = world.open();
    await peer.say(CONNECT);
    await peer.say({ type: "open", id: 2, name: "ball" });
    await peer.say(write(3, "x", 1));
    assert.deepEqual(peer.heard(), []);
    assert.equal(peer.transport.isPaused, true);
    verdict.resolve(allow ? { allow, grant: { end() {} } } : { allow, code: "hook-denied", reason: "Not today" });
    await turns();
    await world.settle();
    assert.equal(world.host.objects.length, allow ? 1 : 0);
    assert.equal(peer.transport.isPaused, !allow);
    assert.deepEqual(peer.transport.closing, allow ? undefined : { code: 4001, reason: "denied: Not today" });
  }
});

test("[SLV13] the guard is asked with the path's application, the session and the program", async () => {
  const asked: unknown[] = [];
  const world = new WsWorld({
    guard: {
      decide: ({ action, protocol, app, key, agent, address }) => {
        asked.push({ action, protocol, app, key, agent, address });
        return Promise.resolve({ allow: true, grant: { end() {} } });
      },
    },
  });
  const peer = world.open("json", "game/table/7");
  await peer.say({ ...CONNECT, agent: "my-game/1.0" });
  const facts = { agent: "my-game/1.0", address: "10.0.0.1" };
  assert.deepEqual(asked, [{ action: "connect", protocol: "sluice", app: "game", key: "", ...facts }]);
  assert.equal(peer.session.facts.agent, "my-game/1.0");
  assert.equal(peer.session.facts.app, "game");
});

test("[SLV14] writes sent behind open without waiting are done in their order, after it was answered", async () => {
  const world = new WsWorld();
  const peer = world.open();
  await peer.say(CONNECT);
  peer.heard();
  peer.give('{"type":"open","id":2,"name":"ball"}');
  for (let id = 3; id < 20; id++) peer.give(JSON.stringify(write(id, "x", id)));
  await world.settle();
  const answers = peer.heard().filter(({ type }) => type === "answer");
  assert.deepEqual(
    answers.map(({ id, status, at }) => [id, status, at]),
    [[2, "success", undefined], ...Array.from({ length: 17 }, (_, i) => [i + 3, "success", `1.1/${i + 2}`])],
  );
});

test("[SLV15] objects, requests without an answer, params, names and values have limits, each refused by its name", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const long = "n".repeat(SLUICE_V1_LIMITS.nameCharacters + 1);
  await peer.say({ type: "open", id: 3, name: long });
  await peer.say({ type: "open", id: 4, name: "" });
  await peer.say(write(5, "n".repeat(300), 1));
  await peer.say(write(6, "x", "x".repeat(70_000)));
  assert.deepEqual(shapes(peer), [
    "answer 3 refused bad-request name",
    "answer 4 refused name",
    "answer 5 refused limit nameBytes",
    "answer 6 refused limit valueBytes",
  ]);
  for (let id = 10; id < 10 + SLUICE_V1_LIMITS.objects; id++) await peer.say({ type: "open", id, name: `o${id}` });
  assert.equal(shapes(peer).at(-1), `answer ${9 + SLUICE_V1_LIMITS.objects} refused limit objects`);

  const hasty = await world.player();
  for (let id = 3; id < 3 + 2 * OBJECT_SESSION_LIMITS.openingsPerSecond; id += 2) {
    await hasty.say({ type: "open", id, name: "other" });
    await hasty.say({ type: "close", id: id + 1, object: "room/other" });
  }
  assert.ok(shapes(hasty).some((shape) => shape.endsWith("refused rate openingsPerSecond")));

  const eager = await world.player();
  const count = SLUICE_V1_LIMITS.requestsInFlight + 1;
  for (let id = 3; id < 3 + count; id++) eager.give(JSON.stringify(write(id, "x", id)));
  const refusals = shapes(eager).filter((shape) => shape.startsWith("answer"));
  assert.deepEqual(refusals, [`answer ${2 + count} refused limit requestsInFlight`]);
  await world.settle();
  assert.equal(shapes(eager).filter((shape) => shape.endsWith("success")).length, count - 1);

  const greedy = world.open();
  await greedy.say({ ...CONNECT, params: { text: "x".repeat(SLUICE_V1_LIMITS.paramsBytes) } });
  assert.deepEqual(shapes(greedy), ["answer 1 refused limit paramsBytes"]);
  assert.equal(greedy.transport.closing?.code, 4006);
});

test("[SLV16] what is no plain data, and a reserved name, is refused with its path, and the session goes on", async () => {
  const peer = await new WsWorld().player();
  const texts = [
    '{"type":"write","id":3,"object":"room/ball","operations":[{"type":"set","name":"__proto__","value":1}]}',
    '{"type":"write","id":4,"object":"room/ball","operations":[{"type":"set","name":"a","value":{"b":[{"constructor":1}]}}]}',
    '{"type":"write","id":5,"object":"room/ball","operations":[{"type":"set","name":"a","value":{"b":{"$what":1}}}]}',
    `{"type":"write","id":6,"object":"room/ball","operations":[{"type":"set","name":"a","value":${"[".repeat(80)}${"]".repeat(80)}}]}`,
    '{"type":"write","id":7,"object":"room/ball","operations":[{"type":"set","name":"a","value":"\\ud800"}]}',
    '{"type":"write","id":8,"object":"room/ball","operations":[{"type":"message","name":"prototype","arguments":[]}]}',
  ];
  for (const text of texts) await peer.send(text);
  assert.deepEqual(shapes(peer), [
    "answer 3 refused not-plain __proto__",
    "answer 4 refused not-plain a.b[0].constructor",
    "answer 5 refused not-plain operations[0].value.b",
    `answer 6 refused not-plain operations[0].value${"[0]".repeat(65)}`,
    "answer 7 refused not-plain a",
    "answer 8 refused not-plain prototype",
  ]);
  await peer.say({ type: "ping", id: 9 });
  assert.deepEqual(shapes(peer), ["answer 9 success"]);
});

const BAD_REQUESTS: readonly (readonly [fields: string, detail: string])[] = [
  ['"type":"open","name":5', "name"],
  ['"type":"open","name":"b","durability":"forever"', "durability"],
  ['"type":"open","name":"b","durability":{"every":-1}', "durability.every"],
  ['"type":"open","name":"b","from":"1/2"', "from"],
  ['"type":"open","name":"b","from":"1.1/99999999999999999999"', "from"],
  ['"type":"close"', "object"],
  ['"type":"call","method":"m"', "arguments"],
  ['"type":"write","object":"room/ball"', "operations"],
  ['"type":"write","object":"room/ball","operations":[5]', "operations[0]"],
  ['"type":"write","object":"room/ball","operations":[{}]', "operations[0].type"],
  ['"type":"write","object":"room/ball","operations":[{"type":"clear"},{"type":"explode"}]', "operations[1].type"],
  ['"type":"write","object":"room/ball","operations":[{"type":"set","name":"x"}]', "operations[0].value"],
  [
    '"type":"write","object":"room/ball","operations":[{"type":"set","name":"x","value":1,"expected":4}]',
    "operations[0].expected",
  ],
  ['"type":"write","object":"room/ball","operations":[{"type":"lock","lease":"long"}]', "operations[0].lease"],
  [
    '"type":"write","object":"room/ball","operations":[{"type":"message","name":"m","arguments":{}}]',
    "operations[0].arguments",
  ],
];

for (const [fields, detail] of BAD_REQUESTS) {
  test(`[SLV17] a field that is missing or wrong is named: ${detail} of ${fields.slice(0, 70)}`, async () => {
    const world = new WsWorld();
    const peer = await world.player();
    await peer.send(`{"id":3,${fields}}`);
    assert.deepEqual(shapes(peer), [`answer 3 refused bad-request ${detail}`]);
    assert.equal(world.host.find("room/ball")?.copy.at.version, 1);
  });
}

test("[SLV18] a client that takes nothing is neither given nor read more; then it gets the changes as one", async () => {
  const world = new WsWorld();
  const slow = await world.player("msgpack");
  const writer = await world.player();
  slow.transport.isTaking = false;
  slow.transport.owedBytes = 40_000;
  await slow.say({ type: "ping", id: 3 });
  assert.equal(slow.transport.isPaused, true);
  for (let id = 3; id < 300; id++) await writer.say(write(id, "x", id));
  assert.equal(slow.transport.sent.length, 0);
  assert.equal(slow.session.facts.isLagging, true);
  slow.transport.take();
  await world.settle();
  assert.deepEqual([slow.session.facts.isLagging, slow.session.facts.skips], [false, 1]);
  assert.equal(world.counts.get("object_deliveries_total merged"), 1);
  const heard = slow.heard();
  assert.equal(heard.length, 2, "the change, and the answer to the ping");
  const { to, operations } = heard.find(({ type }) => type === "change") ?? {};
  assert.equal(to, "1.1/298");
  assert.deepEqual(JSON.parse(JSON.stringify(operations)), [{ type: "set", name: "x", value: 299, version: 298 }]);
  assert.equal(slow.transport.isPaused, false);
});

test("[SLV31] a client that takes is given each change and message, however many come in one turn", async () => {
  const world = new WsWorld();
  const reader = await world.player("msgpack");
  const writer = await world.player();
  for (let id = 3; id < 203; id++) {
    const operations = [{ type: "message", name: "tick", arguments: [id] }] as const;
    writer.give(JSON.stringify({ type: "write", id, object: "room/ball", operations }));
  }
  await world.settle();
  const versions = reader.heard().map(({ to }) => to);
  assert.deepEqual(
    versions,
    Array.from({ length: 200 }, (_, i) => `1.1/${i + 2}`),
  );
});

test("[SLV18] a snapshot for each of many objects does not pile up: one burst, then as the client takes", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const large = "x".repeat(30_000);
  const names = Array.from({ length: 10 }, (_, i) => `p${i}`);
  const host = await world.player();
  let id = 10;
  for (const name of names) {
    await host.say({ type: "open", id: id++, name });
    const operations = [{ type: "set", name: "x", value: large }] as const;
    await host.say({ type: "write", id: id++, object: `room/${name}`, operations });
  }
  peer.transport.isTaking = false;
  let asked = 1_000;
  for (const name of names) peer.give(JSON.stringify({ type: "open", id: asked++, name }));
  await world.settle();
  assert.ok(peer.transport.owedBytes < 150_000, `${peer.transport.owedBytes} bytes wait`);
  const found = new Set<unknown>();
  for (let round = 0; round < 20; round++) {
    for (const { type, object } of peer.heard()) if (type === "snapshot") found.add(object);
    peer.transport.take();
    await world.settle();
  }
  assert.equal(found.size, names.length);
});

test("[SLV12] a fault while one client is given something ends that one alone, and the write goes on", async () => {
  const world = new WsWorld();
  const unlucky = await world.player("msgpack");
  const writer = await world.player();
  unlucky.transport.send = () => {
    throw new Error("Socket fault");
  };
  await writer.say(write(3, "x", 1));
  assert.equal(unlucky.transport.closing?.code, 1011);
  assert.equal(shapes(writer).at(-1), "answer 3 success");
});

test("[SLV19] a change is encoded once for all clients of an encoding, whoever wrote it", async () => {
  const world = new WsWorld();
  const texts = await Promise.all(Array.from({ length: 20 }, () => world.player()));
  const packs = await Promise.all(Array.from({ length: 20 }, () => world.player("msgpack")));
  await (texts[0] as WsPeer).say(write(3, "x", 12));
  const writer = (texts[0] as WsPeer).transport.sent[0];
  for (const group of [texts.slice(1), packs]) {
    const first = (group[0] as WsPeer).transport.sent[0];
    for (const { transport } of group) {
      assert.equal(transport.sent.length, 1);
      assert.equal(transport.sent[0], first);
    }
    if (group[0]?.encoding === "json") assert.equal(writer, first);
  }
});

test("[SLV19] clients that are behind alike are given the same merged change, encoded once", async () => {
  const world = new WsWorld();
  const writer = await world.player();
  const slow = await Promise.all(Array.from({ length: 5 }, () => world.player()));
  for (const { transport } of slow) transport.owedBytes = 40_000;
  await writer.say(write(3, "x", 0));
  for (let id = 4; id < 200; id++) await writer.say(write(id, "x", id));
  for (const { transport } of slow) transport.take();
  await world.settle();
  for (const { transport } of slow) assert.equal(transport.sent[0], slow[0]?.transport.sent[0]);
  assert.equal(slow[0]?.session.facts.skips, 1);
});

test("[SLV19] what was encoded is kept in a bounded number of bytes", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const values = Array.from({ length: 90 }, (_, i) => `${i}`.padEnd(60_000, "x"));
  let id = 3;
  for (const value of values) await peer.say(write(id++, "x", value));
  assert.ok(world.frames.byteSize <= 4 * 1024 * 1024);
});

test("[SLV20] a connection without connect, a silent one and one that takes nothing end, each with its code", async () => {
  const world = new WsWorld();
  const { clock } = world.world;
  const quiet = world.open();
  const silent = await world.player();
  const alive = await world.player();
  for (let i = 0; i < 30; i++) {
    await world.world.pass(1);
    if (alive.frames().some(({ opcode }) => opcode === 9)) alive.events.signOfLife();
  }
  assert.equal(quiet.transport.closing?.code, 4002);
  assert.equal(silent.transport.closing?.code, 4002);
  assert.ok(
    silent.frames().some(({ opcode }) => opcode === 9),
    "it was asked",
  );
  assert.deepEqual(world.ended, ["timeout", "timeout"]);
  alive.transport.isStalledNow = true;
  alive.session.tick(clock.now());
  assert.deepEqual(world.ended.length, 2, "nothing is held back from it");
  alive.transport.owedBytes = 40_000;
  const write = await world.other();
  await write([setWish("x", 1)]);
  alive.session.tick(clock.now());
  assert.equal(alive.transport.closing?.code, 4005);
  assert.equal(alive.transport.isCut, true);
});

test("[SLV21] whatever ends a session, its objects and locks are free, and its requests hear nothing any more", async () => {
  for (const end of ["kicked", "cut"] as const) {
    const world = new WsWorld();
    const peer = await world.player();
    await peer.say({ type: "write", id: 3, object: "room/ball", operations: [{ type: "lock", lease: 60_000 }] });
    const object = world.host.find("room/ball");
    assert.equal(object?.copy.state.lock?.owner, "c1");
    peer.give(JSON.stringify(write(4, "x", 1)));
    peer.heard();
    if (end === "kicked") assert.equal(world.ports.registry.kick(peer.session.id, "begone"), true);
    else peer.events.closed(new Error("reset"));
    await world.settle();
    assert.equal(object?.users.here.size, 0);
    assert.equal(object?.copy.state.lock, undefined);
    assert.deepEqual(peer.heard(), []);
    assert.deepEqual(world.ended, [end === "kicked" ? "kicked" : "peer-error"]);
    if (end === "kicked") assert.deepEqual(peer.transport.closing, { code: 4003, reason: "kicked: begone" });
  }
});

test("[SLV22] calls to the client are answered once, bounded in number, and end with the session", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const { calls } = peer.session;
  assert.ok(calls !== undefined);
  const first = calls.call("greet", ["ann"]);
  await peer.send('{"type":"answer","id":1,"status":"success","value":{"$undefined":true}}');
  await peer.send('{"type":"answer","id":1,"status":"refused","code":"late"}');
  await peer.send('{"type":"answer","id":99,"status":"success"}');
  await peer.send('{"type":"answer"}');
  assert.deepEqual(await first, { type: "success", value: undefined });
  const open = Array.from({ length: SLUICE_V1_LIMITS.requestsInFlight }, () => calls.call("wait", []));
  assert.deepEqual(await calls.call("wait", []), { type: "refused", code: "limit", detail: "requestsInFlight" });
  peer.session.end("kicked");
  for (const outcome of await Promise.all(open)) {
    assert.deepEqual(outcome, { type: "refused", code: "unknown-outcome", detail: "" });
  }
  assert.equal((await calls.call("wait", [])).type, "refused");
});

test("[SLV23] values that only AMF has are read as what is nearest to them", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const write = await world.other();
  let nest: AmfDictionary = new AmfDictionary([]);
  for (let i = 0; i < 30; i++) nest = new AmfDictionary([["k", nest]]);
  const values = amfObject({
    xml: new XmlDocument("<a/>"),
    ecma: new EcmaArray(amfObject({ 0: "zero", name: "n" })),
    typed: new TypedObject("com.example.Point", amfObject({ x: 1 })),
    vector: new AmfVector("int", [1, 2]),
    dictionary: new AmfDictionary([["k", 1]]),
    date: new Date(Number.NaN),
    nest,
  });
  await write([setWish("all", values)]);
  const [{ operations } = {}] = peer.heard() as unknown as { operations: { value: Record<string, PlainValue> }[] }[];
  const { nest: read, ...rest } = operations?.[0]?.value ?? {};
  assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
    xml: "<a/>",
    ecma: { 0: "zero", name: "n" },
    typed: { x: 1 },
    vector: [1, 2],
    dictionary: [["k", 1]],
    date: null,
  });
  assert.ok(Array.isArray(read));
});

test("[SLV24] a node that stops sends clients with objects to another node, and lets all others go", async () => {
  const world = new WsWorld();
  const peer = await world.player();
  const idle = world.open();
  await idle.say(CONNECT);
  assert.equal(peer.session.askToLeave(), "cannot");
  assert.equal(peer.session.isServed(), false);
  world.elsewhere = "ws://b.example/room";
  assert.equal(peer.session.askToLeave(), "asked");
  assert.equal(peer.session.isServed(), true);
  assert.equal(idle.session.askToLeave(), "asked");
  assert.equal(idle.session.isServed(), false);
  await peer.say({ type: "close", id: 3, object: "room/ball" });
  assert.equal(peer.session.isServed(), false);
});

test("[SLV25] a flood is read as fast as its share of the event loop allows, while others are answered at once", async () => {
  const world = new WsWorld();
  const flood = await world.player();
  const other = await world.player();
  const count = SLUICE_V1_LIMITS.messages * 2;
  for (let id = 3; id < 3 + count; id++) flood.give(`{"type":"ping","id":${id}}`);
  const atOnce = flood.heard().length;
  assert.ok(atOnce <= SLUICE_V1_LIMITS.messages, `${atOnce} of ${count} were read at once`);
  assert.equal(flood.transport.isPaused, true);
  other.give('{"type":"ping","id":3}');
  assert.deepEqual(shapes(other), ["answer 3 success"]);
  for (let i = 0; i < 5; i++) await world.settle();
  assert.equal(flood.heard().length, count - atOnce);
  assert.equal(flood.transport.isPaused, false);
});

/** Connect and the other commands of the connection itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { type AmfValue, amfObject } from "@sluice/amf/value";
import { CLAIM_LIMITS } from "@sluice/base/claimed-text";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { RtmpLimitError, RtmpOrderError } from "@sluice/rtmp/errors";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import type { TransactionId } from "@sluice/rtmp/ids";
import { Conversation, createServer, join, limitsWith, takeAll } from "./ports.ts";
import { CONNECT, command, describe, message, openServer, plainHandshake, readMessages } from "./raw-peer.ts";

const HANDSHAKE_REPLY = 1 + 2 * 1536;

/** A server whose connect waits for a verdict, and what was asked. */
function askConnect(fields: Record<string, AmfValue>): {
  server: ReturnType<typeof createServer>;
  request: ConnectRequest;
} {
  const server = createServer();
  server.receive(join(plainHandshake(), command(0, "connect", 1, fields)));
  const event = takeAll(server).at(-1);
  assert.equal(event?.type, "connect");
  if (event?.type !== "connect") throw new TypeError("unreachable");
  return { server, request: event.request };
}

test("[NCN1] [CTL7] window, bandwidth, chunk size and result, with the handshake's reply, in one piece", () => {
  const server = createServer();
  server.receive(join(plainHandshake(), CONNECT));
  server.acceptConnect({ properties: { extra: 1 }, information: { motd: "hi" } });
  const out = server.nextOutput() as Uint8Array;
  assert.equal(server.nextOutput(), undefined);
  assert.deepEqual(readMessages(out.subarray(HANDSHAKE_REPLY)).map(describe), [
    [0, "type 5", "002625a0"],
    [0, "type 6", "002625a002"],
    [0, "type 1", "0000ea60"],
    [
      0,
      "_result",
      1,
      amfObject({ fmsVer: "FMS/3,5,7,7009", capabilities: 31, mode: 1, extra: 1 }),
      amfObject({
        level: "status",
        code: "NetConnection.Connect.Success",
        description: "Connection succeeded",
        objectEncoding: 0,
        motd: "hi",
      }),
    ],
  ]);
  assert.equal(server.phase, "connected");
});

test("[NCN2] a refusal with redirect, and silence afterwards", () => {
  const { server } = askConnect({ app: "live" });
  server.nextOutput();
  server.rejectConnect({ description: "Elsewhere", redirect: "rtmp://b/live" });
  const [error] = readMessages(server.nextOutput() as Uint8Array).map(describe);
  assert.deepEqual(error?.slice(0, 3), [0, "_error", 1]);
  assert.deepEqual(
    error?.[4],
    amfObject({
      level: "error",
      code: "NetConnection.Connect.Rejected",
      description: "Elsewhere",
      ex: amfObject({ code: 302, redirect: "rtmp://b/live" }),
    }),
  );
  assert.equal(server.phase, "rejected");
  server.receive(join(command(0, "createStream", 2, null), message(8, new Uint8Array(3), { stream: 1 })));
  assert.deepEqual(takeAll(server), []);
  assert.equal(server.nextOutput(), undefined);
});

test("[NCN2] the client hears code, description and address", () => {
  const conversation = new Conversation();
  conversation.onServerEvent = (event, server) => {
    const refusal = { code: "NetConnection.Connect.InvalidApp", description: "No such app" } as const;
    if (event.type === "connect") server.rejectConnect(refusal);
  };
  conversation.client.start({ app: "nope", tcUrl: "rtmp://h/nope" });
  conversation.run();
  assert.deepEqual(conversation.clientEvents.at(-1), {
    type: "connect-rejected",
    code: "NetConnection.Connect.InvalidApp",
    description: "No such app",
    redirect: undefined,
  });
  assert.equal(conversation.client.phase, "rejected");
});

test("[NCN3] app and query, however the URL was split", () => {
  const cases = [
    [{ app: "live", tcUrl: "rtmp://h/live" }, "live", ""],
    [{ app: "live/", tcUrl: "rtmp://h/live/" }, "live", ""],
    [{ app: "/live/room//", tcUrl: "" }, "live/room", ""],
    [{ app: "live?token=a", tcUrl: "rtmp://h/live?token=b" }, "live", "token=a"],
    [{ app: "live/room", tcUrl: "rtmp://h:1935/live/room?token=b" }, "live/room", "token=b"],
    [{}, "", ""],
  ] as const;
  for (const [fields, app, query] of cases) {
    const { request } = askConnect(fields);
    assert.deepEqual([request.app, request.query], [app, query]);
  }
});

test("[NCN3] the rest of the request, and the client's own arguments", () => {
  const server = createServer();
  const fields = { app: "a", tcUrl: "t", flashVer: "f", swfUrl: "s", pageUrl: "p", objectEncoding: 3 };
  server.receive(join(plainHandshake(), command(0, "connect", 1, fields, "mine", 2)));
  const event = takeAll(server).at(-1);
  assert.ok(event?.type === "connect");
  const { app, tcUrl, flashVer, swfUrl, pageUrl, objectEncoding } = event.request;
  assert.deepEqual({ app, tcUrl, flashVer, swfUrl, pageUrl, objectEncoding }, fields);
  assert.deepEqual(event.args, ["mine", 2]);
  assert.deepEqual(event.commandObject, amfObject(fields));
});

test("[RLM210] what a client says of itself is cut, and nothing else of its connect is kept", () => {
  const long = "é".repeat(3_000);
  const fourCcList = ["hvc1", long, "*av1"];
  const fields = { app: "live", flashVer: long, swfUrl: long, pageUrl: long, fourCcList, more: long };
  const { request } = askConnect(fields);
  const { agentCharacters, urlCharacters } = CLAIM_LIMITS;
  assert.deepEqual(
    [request.flashVer, request.swfUrl, request.pageUrl].map((text) => text.length),
    [agentCharacters, urlCharacters, urlCharacters],
  );
  assert.deepEqual(request.capabilities.fourCcs, new Set(["hvc1", "*av1"]));
  assert.ok(JSON.stringify(request).length < agentCharacters + 2 * urlCharacters + 500);
});

for (const [says, make] of [
  ["app", (name: string) => command(0, "connect", 1, { app: name })],
  ["tcUrl", (name: string) => command(0, "connect", 1, { app: "live", tcUrl: name })],
  ["publish", (name: string) => command(1, "publish", 2, null, name)],
  ["play", (name: string) => command(1, "play", 2, null, name)],
  ["FCPublish", (name: string) => command(0, "FCPublish", 2, null, name)],
] as const) {
  test(`[RLM211] a name one character too long in ${says} ends the session, at the limit it is whole`, () => {
    const limits = limitsWith({ nameCharacters: 40 });
    const isConnect = says === "app" || says === "tcUrl";
    const open = (name: string): void => {
      const server = createServer({ limits });
      server.receive(join(plainHandshake(), ...(isConnect ? [] : [CONNECT])));
      if (!isConnect) server.acceptConnect();
      server.receive(make(name));
    };
    open("n".repeat(40));
    assert.throws(
      () => open("n".repeat(41)),
      (error) => error instanceof RtmpLimitError && error.context.limit === "nameCharacters",
    );
  });
}

test("[NCN4] encoding 3 is granted; a type 17 command is read behind its zero byte", () => {
  const connect = command(0, "connect", 1, { app: "live", objectEncoding: 3 });
  const server = createServer();
  server.receive(join(plainHandshake(), connect));
  server.acceptConnect();
  const [, , , result] = readMessages((server.nextOutput() as Uint8Array).subarray(HANDSHAKE_REPLY)).map(describe);
  assert.equal((result?.[4] as { objectEncoding: number }).objectEncoding, 3);
  const { sent } = openServer({}, connect).say(
    message(17, join(new Uint8Array([0]), encodeAmf0Values(["createStream", 2, null]))),
  );
  assert.deepEqual(sent, [[0, "_result", 2, null, 1]]);
});

test("[NCN5] a burst sent before any answer is followed in order once connect is accepted", () => {
  const server = createServer();
  const burst = [
    command(0, "releaseStream", 2, null, "cam"),
    command(0, "FCPublish", 3, null, "cam"),
    command(0, "createStream", 4, null),
    command(1, "publish", 5, null, "cam", "live"),
  ];
  server.receive(join(plainHandshake(), CONNECT, ...burst));
  assert.deepEqual(
    takeAll(server).map((event) => event.type),
    ["handshake-done", "connect"],
  );
  assert.equal(server.phase, "connect-pending");
  server.acceptConnect();
  assert.deepEqual(
    takeAll(server).map((event) => event.type),
    ["publish"],
  );
  const names = readMessages((server.nextOutput() as Uint8Array).subarray(HANDSHAKE_REPLY)).map(
    (one) => describe(one)[1],
  );
  assert.deepEqual(names, ["type 5", "type 6", "type 1", "_result", "_result", "_result", "onFCPublish", "_result"]);
});

for (const [limit, limits, burst] of [
  ["heldMessages", { heldMessages: 2 }, [1, 2, 3].map((id) => command(0, "x", id))],
  ["heldBytes", { heldBytes: 300 }, [1, 2].map((id) => command(0, "x", id, null, "y".repeat(200)))],
] as const) {
  test(`[RLM1] ${limit} ends the session`, () => {
    const server = createServer({ limits: limitsWith(limits) });
    server.receive(join(plainHandshake(), CONNECT));
    assert.throws(
      () => server.receive(join(...burst)),
      (error) => error instanceof RtmpLimitError && error.context.limit === limit,
    );
  });
}

const status = (code: string): unknown => amfObject({ level: "status", code, description: "cam" });
const CUSTOMARY = [
  { name: "releaseStream", sent: [[0, "_result", 7, null, undefined]] },
  {
    name: "FCPublish",
    sent: [
      [0, "_result", 7, null, undefined],
      [0, "onFCPublish", 0, null, status("NetStream.Publish.Start")],
    ],
  },
  {
    name: "FCUnpublish",
    sent: [
      [0, "_result", 7, null, undefined],
      [0, "onFCUnpublish", 0, null, status("NetStream.Unpublish.Success")],
    ],
  },
  {
    name: "FCSubscribe",
    sent: [
      [0, "_result", 7, null, undefined],
      [0, "onFCSubscribe", 0, null, status("NetStream.Play.Start")],
    ],
  },
  { name: "_checkbw", sent: [[0, "_result", 7, null, undefined]] },
  { name: "getStreamLength", sent: [[0, "_result", 7, null, 0]] },
] as const;

for (const { name, sent } of CUSTOMARY) {
  test(`[NCN6] ${name} gets its customary answer, once`, () => {
    const answer = openServer().say(command(0, name, 7, null, "cam"));
    assert.deepEqual([answer.events, answer.sent], [[], sent]);
  });
  test(`[NCN6] [NCN9] ${name} with transaction id 0 gets no result`, () => {
    const { sent: without } = openServer().say(command(0, name, 0, null, "cam"));
    assert.ok(without.every(([, reply]) => reply !== "_result"));
  });
}

test("[NCN7] message streams count from 1, and ids of deleted ones are free again", () => {
  const { say } = openServer();
  const create = (id: number): unknown => say(command(0, "createStream", id, null)).sent;
  assert.deepEqual(
    [create(2), create(3), create(4)],
    [2, 3, 4].map((id) => [[0, "_result", id, null, id - 1]]),
  );
  say(command(0, "deleteStream", 0, null, 2));
  assert.deepEqual(create(5), [[0, "_result", 5, null, 2]]);
});

test("[NCN8] one message stream too many", () => {
  const { say } = openServer({ limits: limitsWith({ messageStreams: 1 }) });
  say(command(0, "createStream", 2, null));
  const [reply] = say(command(0, "createStream", 3, null)).sent;
  assert.deepEqual(reply?.slice(0, 3), [0, "_error", 3]);
});

test("[NCN9] unknown commands are told as calls; the owner's answers go out, except to transaction id 0", () => {
  const { server, say } = openServer();
  const { events, sent } = say(command(3, "sum", 9, null, 1, 2), command(0, "shout", 0, null), command(0, "bare"));
  assert.deepEqual(sent, []);
  assert.deepEqual(events, [
    { type: "call", name: "sum", transactionId: 9, messageStreamId: 3, commandObject: null, args: [1, 2] },
    { type: "call", name: "shout", transactionId: 0, messageStreamId: 0, commandObject: null, args: [] },
    { type: "call", name: "bare", transactionId: 0, messageStreamId: 0, commandObject: null, args: [] },
  ]);
  server.answerCall(9 as TransactionId, [3]);
  server.failCall(10 as TransactionId, { description: "No" });
  assert.deepEqual(readMessages(server.nextOutput() as Uint8Array).map(describe), [
    [0, "_result", 9, null, 3],
    [0, "_error", 10, null, amfObject({ level: "error", code: "NetConnection.Call.Failed", description: "No" })],
  ]);
  server.answerCall(0 as TransactionId, [3]);
  server.failCall(0 as TransactionId);
  assert.equal(server.nextOutput(), undefined);
});

test("[NCN9] a stray status from a client is for nobody", () => {
  const { events, sent } = openServer().say(command(0, "onStatus", 0, null, {}));
  assert.deepEqual([events, sent], [[], []]);
});

test("[NCN10] a second connect, a command before connect, and what is no command end the session", () => {
  assert.throws(() => openServer().say(CONNECT), { code: "WIRE_RTMP_DIALOGUE" });
  assert.throws(() => createServer().receive(join(plainHandshake(), command(0, "play", 1, null, "x"))), {
    code: "WIRE_RTMP_DIALOGUE",
  });
  assert.throws(() => openServer().say(message(20, encodeAmf0Values([5]))), { code: "WIRE_RTMP_MESSAGE" });
  assert.throws(() => createServer().receive(join(plainHandshake(), command(0, "connect", 1, null))), WireError);
});

test("[NCN10] media and control before connect are heeded or passed over, and end nothing", () => {
  const server = createServer();
  const early = [
    message(4, new Uint8Array([0, 3, 0, 0, 0, 0, 0, 0, 1, 44])),
    message(8, new Uint8Array(3), { stream: 1 }),
  ];
  server.receive(join(plainHandshake(), ...early, CONNECT));
  assert.deepEqual(
    takeAll(server).map((event) => event.type),
    ["handshake-done", "buffer-length", "connect"],
  );
});

test("[NCN11] calls in both directions", () => {
  const conversation = new Conversation();
  const { client, server } = conversation;
  conversation.onServerEvent = (event, engine) => {
    if (event.type === "connect") engine.acceptConnect();
    if (event.type === "call") engine.answerCall(event.transactionId, [event.name, ...event.args]);
  };
  client.start({ app: "live", tcUrl: "rtmp://h/live" });
  conversation.run();
  const asked = client.call("echo", ["hello"]);
  conversation.run();
  assert.deepEqual(conversation.clientEvents.at(-1), {
    type: "call-result",
    transactionId: asked,
    isError: false,
    values: ["echo", "hello"],
  });
  const called = server.call("greet", ["you"]);
  conversation.run();
  const greet = conversation.clientEvents.at(-1);
  assert.ok(greet?.type === "call" && greet.name === "greet" && greet.transactionId === called);
  assert.deepEqual(openServer().say(command(0, "_result", 4, null, 5)).events, [
    { type: "call-result", transactionId: 4, isError: false, values: [5] },
  ]);
});

test("[RLM1] commandBytes", () => {
  const { say } = openServer({ limits: limitsWith({ commandBytes: 300 }) });
  assert.throws(() => say(command(0, "x", 1, null, "y".repeat(400))), LimitError);
});

test("[NCN5] media of a burst is told behind its publish, and what breaks the rules throws at the next receive", () => {
  const server = createServer();
  const frame = message(9, new Uint8Array(3), { stream: 1 });
  server.receive(join(plainHandshake(), CONNECT, command(1, "publish", 2, null, "cam"), frame, CONNECT));
  server.acceptConnect();
  assert.deepEqual(
    takeAll(server).map((event) => event.type),
    ["handshake-done", "connect", "publish", "media"],
  );
  assert.throws(() => server.receive(frame), { code: "WIRE_RTMP_DIALOGUE" });
});

test("[RLM1] queuedEvents and outputBytes", () => {
  const events = openServer({ limits: limitsWith({ queuedEvents: 4 }) });
  assert.throws(() => events.server.receive(join(...[1, 2, 3, 4, 5].map((id) => command(0, "x", id)))), LimitError);
  const output = openServer({ limits: limitsWith({ outputBytes: 4000 }) });
  const ping = message(4, new Uint8Array([0, 6, 0, 0, 0, 1]));
  assert.throws(() => output.server.receive(join(...Array.from({ length: 300 }, () => ping))), LimitError);
});

test("a verdict that nobody waits for is our own mistake", () => {
  assert.throws(() => createServer().acceptConnect(), RtmpOrderError);
  assert.throws(() => openServer().server.rejectConnect({ description: "late" }), RtmpOrderError);
});

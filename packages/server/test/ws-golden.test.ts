/** Golden exchanges of sluice.v1, byte for byte in both encodings. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type AccessPolicy } from "@sluice/server/sessions/session-ports";
import type { DecodedMessage } from "@sluice/client/contract/codec";
import type { Encoding } from "@sluice/client/contract/sluice-v1";
import { readRequest } from "@sluice/server/ws/request-fields";
import type { Wish } from "@sluice/state/change";
import { type GoldenExchange, readExchanges } from "@sluice/testkit/exchanges";
import { toHex } from "@sluice/testkit/hex";
import { WsWorld, type WsPeer } from "./ws-world.ts";

const EXCHANGES = readExchanges(join(import.meta.dirname, "../../../docs/protocol/golden"));

/** What the guard of an exchange says. */
const GUARDS: Readonly<Record<string, Awaited<ReturnType<AccessPolicy["decide"]>>>> = {
  denied: { allow: false, code: "token-missing", reason: "A token is needed" },
  redirected: {
    allow: false,
    code: "redirected",
    redirect: "wss://other.example/room",
    reason: "Go to another node",
  },
};

/** What the server does by itself before its message of that index. */
const DEEDS: Readonly<Record<string, (peer: WsPeer, world: WsWorld, text: string) => Promise<void> | void>> = {
  draining(peer, world, text) {
    world.elsewhere = "ws://other.example/room";
    if (text.includes('"move"')) assert.equal(peer.session.askToLeave(), "asked");
  },
  called(peer, _world, text) {
    if (text.includes('"greet"')) void peer.session.calls?.call("greet", ["ann"]);
    if (text.includes('"dance"')) void peer.session.calls?.call("dance", []);
  },
  async behind(peer, world, text) {
    if (!text.includes('"change"')) return;
    const { transport } = peer;
    transport.isTaking = false;
    transport.owedBytes = 100_000;
    const write = await world.other();
    await write(wishesOf('[{"type":"message","name":"bump","arguments":[]}]'));
    await write(wishesOf('[{"type":"set","name":"y","value":2}]'));
    for (let x = 3; x < 80; x++) await write(wishesOf(`[{"type":"set","name":"x","value":${x}}]`));
    assert.equal(transport.sent.length, 0);
    transport.take();
  },
};

for (const exchange of EXCHANGES) {
  for (const encoding of ["json", "msgpack"] as const) {
    test(`[SLV10] golden exchange, ${encoding}: ${exchange.name}`, () => replay(exchange, encoding));
  }
}

async function replay({ name, path, steps, close }: GoldenExchange, encoding: Encoding): Promise<void> {
  const guard = GUARDS[name];
  const world = new WsWorld(guard && { guard: { decide: () => Promise.resolve(guard) } });
  let write: Awaited<ReturnType<WsWorld["other"]>> | undefined;
  const peer = world.open(encoding, path.slice(1));
  const said: string[] = [];
  for (const step of steps) {
    if (step.from === "other") {
      write ??= await world.other();
      await write(wishesOf(step.text));
    } else if (step.from === "client") {
      assert.deepEqual(said, [], `unexpected before ${step.text}`);
      await peer.send(encoding === "json" ? step.text : step.bytes);
    } else {
      if (said.length === 0) await DEEDS[name]?.(peer, world, step.text);
      await world.settle();
    }
    said.push(...peer.frames().map((frame) => shown(frame.payload, encoding)));
    if (step.from !== "server") continue;
    assert.equal(said.shift(), encoding === "json" ? step.text : toHex(step.bytes));
  }
  assert.deepEqual(said, []);
  if (name === "draining") peer.session.end("server-stopping");
  assert.deepEqual(peer.transport.closing, close);
}

function shown(payload: Uint8Array, encoding: Encoding): string {
  return encoding === "json" ? new TextDecoder().decode(payload) : toHex(payload);
}

function wishesOf(operations: string): readonly Wish[] {
  const message = { type: "write", object: "", operations: JSON.parse(operations) as never } as DecodedMessage;
  const request = readRequest(message);
  assert.ok(request.type === "write");
  return request.wishes;
}

/** How three servers are asked for the same: to open one shared thing, to change it, and to tell that a change was taken. */
import { encodeMessagePack } from "@sluice/client/contract/message-pack-encode";

export type ObjectServer = "sluice, JSON" | "sluice, MessagePack" | "Socket.IO" | "Colyseus";

export interface Dialect {
  /** Path of the WebSocket. */
  path(port: number): Promise<string>;
  readonly subprotocol: string | undefined;
  /** What a client says to a frame while it opens, first to none at all; true: from now on it hears changes. */
  answer(frame: Uint8Array | undefined): Uint8Array | string | true | undefined;
  change(id: number, value: { readonly x: number; readonly t: string }): Uint8Array | string;
  /** Whether a frame says that a change of this client was taken; undefined: this server says no such thing. */
  readonly isTaken: ((frame: Uint8Array) => boolean) | undefined;
  /** What keeps a connection alive. */
  alive(frame: Uint8Array): string | undefined;
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
const nothing = (): undefined => undefined;

function sluice(encode: (message: never) => Uint8Array | string): Dialect {
  const say = (message: object): Uint8Array | string => encode(message as never);
  return {
    path: () => Promise.resolve("/room"),
    subprotocol: "sluice.v1",
    answer(frame) {
      if (frame === undefined) return say({ type: "connect", id: 1 });
      const heard = text(frame);
      if (heard.includes("client")) return say({ type: "open", id: 2, name: "ball" });
      return heard.includes("snapshot") ? true : undefined;
    },
    change(id, { x, t }) {
      const operations = Object.entries({ x, t }).map(([name, value]) => ({ type: "set", name, value }));
      return say({ type: "write", id: id + 2, object: "room/ball", operations });
    },
    isTaken: (frame) => text(frame.subarray(0, 120)).includes("success"),
    alive: nothing,
  };
}

const socketIo: Dialect = {
  path: () => Promise.resolve("/socket.io/?EIO=4&transport=websocket"),
  subprotocol: undefined,
  answer(frame) {
    if (frame === undefined) return undefined;
    const heard = text(frame);
    if (heard.startsWith("0{")) return "40";
    return heard.startsWith("40{") ? true : undefined;
  },
  change: (id, value) => `42${id}["set",${JSON.stringify(value)}]`,
  isTaken: (frame) => text(frame.subarray(0, 2)) === "43",
  alive: (frame) => (frame.length === 1 && frame[0] === 0x32 ? "3" : undefined),
};

/** Codes of its protocol: 10 joined, 13 message, 14 state, 15 patch. */
const colyseus: Dialect = {
  async path(port) {
    const url = `http://127.0.0.1:${port}/matchmake/joinOrCreate/ball`;
    const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
    const seat = (await response.json()) as {
      readonly processId: string;
      readonly roomId: string;
      readonly sessionId: string;
    };
    return `/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`;
  },
  subprotocol: undefined,
  answer: (frame) => (frame?.[0] === 10 ? Uint8Array.of(10) : frame?.[0] === 14 ? true : undefined),
  change: (_, value) => Buffer.concat([Uint8Array.of(13), encodeMessagePack("set"), encodeMessagePack(value)]),
  isTaken: undefined,
  alive: nothing,
};

export const DIALECTS: Readonly<Record<ObjectServer, Dialect>> = {
  "sluice, JSON": sluice((message) => JSON.stringify(message)),
  "sluice, MessagePack": sluice(encodeMessagePack),
  "Socket.IO": socketIo,
  Colyseus: colyseus,
};

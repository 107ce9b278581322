/** A peer made of hand-written messages, for what no decent engine would send. */
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { AmfValue } from "@sluice/amf/value";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { ChunkReader } from "@sluice/rtmp/chunk-reader";
import { encodeMessageInto, messageByteCount } from "@sluice/rtmp/chunk-writer";
import type { ChunkStreamId, MessageStreamId } from "@sluice/rtmp/ids";
import { DEFAULT_RTMP_LIMITS } from "@sluice/rtmp/limits";
import type { Message } from "@sluice/rtmp/message";
import type { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { acceptAll, createServer, join, takeAll } from "./ports.ts";

const ACKNOWLEDGEMENT = 3;

export const sid = (id: number): MessageStreamId => id as MessageStreamId;

/** One message in chunks of 128 bytes. */
export function message(
  typeId: number,
  body: Uint8Array,
  on: { stream?: number; time?: number; csid?: number } = {},
): Uint8Array {
  const { stream = 0, time = 0, csid = 3 } = on;
  const bytes = new Uint8Array(messageByteCount(body.length, time, 128));
  encodeMessageInto(bytes, 0, {
    chunkStreamId: csid as ChunkStreamId,
    typeId,
    timestamp: time,
    messageStreamId: sid(stream),
    body,
    chunkSize: 128,
  });
  return bytes;
}

export function command(stream: number, ...values: readonly AmfValue[]): Uint8Array {
  return message(20, encodeAmf0Values(values), { stream });
}

export const CONNECT = command(0, "connect", 1, { app: "live", tcUrl: "rtmp://host/live" });

/** C0, C1 and C2 of a plain client. */
export function plainHandshake(): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * 1536);
  bytes[0] = 3;
  return bytes;
}

export function readMessages(bytes: Uint8Array): Message[] {
  const reader = new ChunkReader({ limits: DEFAULT_RTMP_LIMITS, allocator: new SlabAllocator() });
  reader.offer(bytes);
  const messages: Message[] = [];
  for (let next = reader.takeMessage(); next; next = reader.takeMessage()) {
    messages.push(next);
    if (next.typeId === 1) reader.setChunkSize(Buffer.from(next.payload).readUInt32BE(0));
  }
  return messages;
}

/** A message in a word or two: the name of a command with its arguments, or the type with its body in hexadecimal. */
export function describe(one: Message): AmfValue[] {
  const { typeId, messageStreamId, payload } = one;
  if (typeId === 20 || typeId === 18) return [messageStreamId, ...decodeAmf0Values(payload)];
  return [messageStreamId, `type ${typeId}`, Buffer.from(payload).toString("hex")];
}

export interface Opened {
  readonly server: RtmpServerEngine;
  /** Feeds bytes, accepts what is asked, answers what was told and sent; Acknowledgements stand apart. */
  say(...bytes: readonly Uint8Array[]): { events: RtmpServerEvent[]; sent: AmfValue[][]; acknowledged: number[] };
}

/** A server whose handshake and connect are behind it. */
export function openServer(options: Parameters<typeof createServer>[0] = {}, connect = CONNECT): Opened {
  const server = createServer(options);
  server.receive(join(plainHandshake(), connect));
  for (const event of takeAll(server)) acceptAll(event, server);
  server.nextOutput();
  return {
    server,
    say(...bytes) {
      server.receive(join(...bytes));
      const events: RtmpServerEvent[] = [];
      for (let event = server.nextEvent(); event; event = server.nextEvent()) {
        events.push(event);
        acceptAll(event, server);
      }
      const out = readSteadyMessages(server.nextOutput() ?? new Uint8Array(0));
      const isAcknowledgement = (one: Message): boolean => one.typeId === ACKNOWLEDGEMENT;
      const sent = out.filter((one) => !isAcknowledgement(one)).map(describe);
      const acknowledged = out.filter(isAcknowledgement).map((one) => Buffer.from(one.payload).readUInt32BE());
      return { events, sent, acknowledged };
    },
  };
}

/** Output after the chunk size of 60,000 was announced. */
export function readSteadyMessages(bytes: Uint8Array): Message[] {
  return readMessages(join(message(1, new Uint8Array([0, 0, 0xea, 0x60]), { csid: 2 }), bytes)).slice(1);
}

/** What a server says beside Acknowledgements, its chunk size of 60,000 having been announced. */
export function takeSent(server: RtmpServerEngine): AmfValue[][] {
  const out = readSteadyMessages(server.nextOutput() ?? new Uint8Array(0));
  return out.filter((one) => one.typeId !== ACKNOWLEDGEMENT).map(describe);
}

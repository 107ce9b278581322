/** Shared-object messages: a name, a version and events in one body. RTMP 1.0 §7.1.3. */
import { Amf0Decoder } from "@sluice/amf/amf0-decode";
import { Amf0Encoder } from "@sluice/amf/amf0-encode";
import { Amf3Decoder } from "@sluice/amf/amf3-decode";
import { AmfLimitError } from "@sluice/amf/errors";
import { AmfBudget } from "@sluice/amf/limits";
import type { AmfValue } from "@sluice/amf/value";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { RtmpLimitError, RtmpMessageError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";

export type SharedObjectProperty = readonly [name: string, value: AmfValue];

export type SharedObjectEvent =
  | { readonly type: "use" | "release" | "clear" | "use-success" | "request-clear" }
  /** To the server, to all others, to the one who asked: the last of Adobe's later servers, in place of `success`. */
  | {
      readonly type: "request-change" | "change" | "change-echo";
      readonly properties: readonly SharedObjectProperty[];
    }
  | { readonly type: "success" | "remove" | "request-remove"; readonly names: readonly string[] }
  | { readonly type: "send-message"; readonly name: string; readonly args: readonly AmfValue[] }
  | { readonly type: "status"; readonly code: string; readonly level: string };

export interface SharedObjectMessage {
  /** Type 19 or 16; with "amf3" the values that are objects travel as AMF3. */
  readonly encoding: "amf0" | "amf3";
  readonly name: string;
  /** Of the object where its home is, or as its client knows it; 0 to 2³² − 1. */
  readonly version: number;
  readonly isPersistent: boolean;
  readonly events: readonly SharedObjectEvent[];
}

/** A message whose body was encoded before, for several peers. */
export interface EncodedSharedObject {
  readonly encoding: SharedObjectMessage["encoding"];
  readonly body: Uint8Array;
}

const TYPES = {
  use: 1,
  release: 2,
  "request-change": 3,
  change: 4,
  success: 5,
  "send-message": 6,
  status: 7,
  clear: 8,
  remove: 9,
  "request-remove": 10,
  "use-success": 11,
  // 12 is not known; 13 and 14 were seen between Adobe's player and server, and of rtmp-client.
  "change-echo": 13,
  "request-clear": 14,
} as const satisfies Record<SharedObjectEvent["type"], number>;

const NAMES = new Map<number, SharedObjectEvent["type"]>(
  Object.entries(TYPES).map(([name, number]) => [number, name as SharedObjectEvent["type"]]),
);

const PERSISTENT = 2;
const LONGEST_TEXT = 0xffff;
/** The byte before a body of type 16: how its values are encoded. */
const AMF0_WITHIN = 0;
const AMF3_WITHIN = 3;

/**
 * | offset | field       | form | meaning                                     |
 * | ------ | ----------- | ---- | ------------------------------------------- |
 * | 0      | encoding    | u8   | of type 16 alone: 0, or 3 of some           |
 * | 0 / 1  | name        | text | length in 16 bits, UTF-8                    |
 * | …      | version     | u32  |                                             |
 * | …      | persistence | u32  | bit 1: persistent; others are not read      |
 * | …      | reserved    | u32  | 0                                           |
 * | …      | events      |      | type u8, length u32, and as many bytes each |
 *
 * Events of unknown types are passed over, and so is what stands behind all that a known one says.
 * AMF's reference tables count through the whole message. Byte arrays in the answer are views of `body`.
 *
 * @throws {WireError} cut off, a value that runs past its event, broken AMF, a message without a name
 * @throws {LimitError} sharedObjectBytes, sharedObjectEvents, nameCharacters, those of AMF
 */
export function decodeSharedObject(
  body: Uint8Array,
  encoding: SharedObjectMessage["encoding"],
  limits: RtmpLimits,
): SharedObjectMessage {
  refuseOver(limits, "sharedObjectBytes", body.length);
  const reader = new ByteReader(body);
  const values = encoding === "amf3" ? valuesWithin(reader) : new Amf0Decoder(reader);
  const name = readText(reader);
  refuseOver(limits, "nameCharacters", name.length);
  const version = reader.u32();
  const isPersistent = (reader.u32() & PERSISTENT) !== 0;
  reader.skip(4);
  const events: SharedObjectEvent[] = [];
  for (let count = 1; reader.remaining > 0; count++) {
    refuseOver(limits, "sharedObjectEvents", count);
    const event = readEvent(reader, values);
    if (event !== undefined) events.push(event);
  }
  return { encoding, name, version, isPersistent, events };
}

/** The form that decodes to `message`. @throws {AmfLimitError} a name or status over 65,535 bytes */
export function encodeSharedObject(message: SharedObjectMessage): Uint8Array {
  const writer = new ByteWriter(128);
  if (message.encoding === "amf3") writer.u8(AMF0_WITHIN);
  const values = new Amf0Encoder(writer, { objects: message.encoding });
  writeText(writer, message.name);
  writer
    .u32(message.version)
    .u32(message.isPersistent ? PERSISTENT : 0)
    .u32(0);
  for (const event of message.events) {
    writer.u8(TYPES[event.type]).u32(0);
    const start = writer.length;
    writeEvent(event, writer, values);
    writer.u32At(start - 4, writer.length - start);
  }
  return writer.finish();
}

interface ValueSource {
  readValue(): AmfValue;
}

function valuesWithin(reader: ByteReader): ValueSource {
  const within = reader.u8();
  if (within === AMF0_WITHIN) return new Amf0Decoder(reader);
  if (within === AMF3_WITHIN) return new Amf3Decoder(reader, new AmfBudget());
  throw broken(`its encoding is ${within}, expected 0 or 3`);
}

function readEvent(reader: ByteReader, values: ValueSource): SharedObjectEvent | undefined {
  const type = NAMES.get(reader.u8());
  const length = reader.u32();
  const end = reader.offset + length;
  if (length > reader.remaining) reader.skip(length); // throws: the event is cut off
  const event = type === undefined ? undefined : readBody(type, end, reader, values);
  if (reader.offset > end) throw broken(`"${type}" says more than its length of ${length}`);
  reader.skip(end - reader.offset);
  return event;
}

function readBody(
  type: SharedObjectEvent["type"],
  end: number,
  reader: ByteReader,
  values: ValueSource,
): SharedObjectEvent {
  switch (type) {
    case "request-change":
    case "change":
    case "change-echo": {
      const properties: SharedObjectProperty[] = [];
      while (reader.offset < end) properties.push([readText(reader), values.readValue()]);
      return { type, properties };
    }
    case "success":
    case "remove":
    case "request-remove": {
      const names: string[] = [];
      while (reader.offset < end) names.push(readText(reader));
      return { type, names };
    }
    case "send-message": {
      const name = values.readValue();
      if (typeof name !== "string") throw broken(`the name of "${type}" is not a string`);
      const args: AmfValue[] = [];
      while (reader.offset < end) args.push(values.readValue());
      return { type, name, args };
    }
    case "status":
      return { type, code: readText(reader), level: readText(reader) };
    default:
      return { type };
  }
}

function writeEvent(event: SharedObjectEvent, writer: ByteWriter, values: Amf0Encoder): void {
  switch (event.type) {
    case "request-change":
    case "change":
    case "change-echo":
      for (const [name, value] of event.properties) {
        writeText(writer, name);
        values.writeValue(value);
      }
      return;
    case "success":
    case "remove":
    case "request-remove":
      for (const name of event.names) writeText(writer, name);
      return;
    case "send-message":
      for (const value of [event.name, ...event.args]) values.writeValue(value);
      return;
    case "status":
      writeText(writer, event.code);
      writeText(writer, event.level);
      return;
    default:
  }
}

function readText(reader: ByteReader): string {
  return reader.utf8(reader.u16());
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = encodeUtf8(text);
  if (bytes.length > LONGEST_TEXT) throw new AmfLimitError("keyBytes", bytes.length, LONGEST_TEXT);
  writer.u16(bytes.length).bytes(bytes);
}

function refuseOver(limits: RtmpLimits, limit: keyof RtmpLimits, value: number): void {
  const maximum = limits[limit];
  if (value > maximum) throw new RtmpLimitError({ limit, value, maximum });
}

function broken(detail: string): RtmpMessageError {
  return new RtmpMessageError({ message: "shared object", detail });
}

/** Messages of `sluice.v1` to frames and back, in either encoding. What a message must hold, its reader checks. */
import { MalformedMessageError } from "./message-error.ts";
import { decodeMessagePack } from "./message-pack-decode.ts";
import { encodeMessagePack } from "./message-pack-encode.ts";
import { SLUICE_V1_LIMITS } from "./limits.ts";
import type { PlainObject, PlainValue } from "./plain-value.ts";
import type { ClientMessage, ServerMessage } from "./sluice-v1.ts";
import { type Json, tagValue, untagValue } from "./tagged-json.ts";

/** Fields that hold plain data, wherever they stand in a message; all others are the protocol's own. */
const VALUE_FIELDS: ReadonlySet<string> = new Set(["value", "arguments", "params"]);

type Message = ClientMessage | ServerMessage;

/** The payload of a text frame. @throws {RangeError} for a value deeper than readers accept */
export function encodeJsonMessage(message: Message): string {
  return JSON.stringify(tagFields(message as unknown as PlainObject));
}

/** The payload of a binary frame. @throws {RangeError} for a value deeper than readers accept */
export function encodeMessagePackMessage(message: Message): Uint8Array {
  return encodeMessagePack(message as unknown as PlainObject);
}

/**
 * An object with a `type`; its other fields may be anything. Unknown ones are to be ignored.
 * @param values  that a binary message may hold; a text message is bounded by its length
 * @throws {MalformedMessageError} and nothing else
 */
export function decodeMessage(payload: string | Uint8Array, values = SLUICE_V1_LIMITS.serverValues): DecodedMessage {
  if (typeof payload !== "string") return asMessage(decodeMessagePack(payload, values));
  let json: Json;
  try {
    json = JSON.parse(payload) as Json;
  } catch {
    throw new MalformedMessageError({ problem: "no JSON" });
  }
  const { id } = asMessage(json as PlainValue);
  const refuse = (path: string, problem: string): never => {
    throw new MalformedMessageError({ problem, path, ...(typeof id === "number" && { id }) });
  };
  return asMessage(untagFields(json, (part, path) => untagValue(part, SLUICE_V1_LIMITS.depth, path, refuse)));
}

export interface DecodedMessage {
  readonly type: string;
  readonly [field: string]: PlainValue;
}

function asMessage(value: PlainValue): DecodedMessage {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || typeof (value as PlainObject)["type"] !== "string") {
    throw new MalformedMessageError({ problem: "no object with a type" });
  }
  return value as DecodedMessage;
}

function tagFields(part: PlainValue): Json {
  if (Array.isArray(part)) return part.map(tagFields);
  if (typeof part !== "object" || part === null) return part as Json;
  const tagged: Record<string, Json> = {};
  for (const [name, field] of Object.entries(part)) {
    tagged[name] = VALUE_FIELDS.has(name)
      ? tagValue(field as PlainValue, SLUICE_V1_LIMITS.depth)
      : tagFields(field as PlainValue);
  }
  return tagged;
}

/** Levels of a message around its values, at most, whatever somebody sends. */
const ENVELOPE = 8;

function untagFields(json: Json, untag: (json: Json, path: string) => PlainValue, path = "", level = 0): PlainValue {
  if (typeof json !== "object" || json === null) return json;
  if (level > ENVELOPE) throw new MalformedMessageError({ problem: "too deep", path });
  if (Array.isArray(json)) return json.map((one: Json, i) => untagFields(one, untag, `${path}[${i}]`, level + 1));
  const fields = Object.create(null) as Record<string, PlainValue>;
  for (const [name, field] of Object.entries(json) as [string, Json][]) {
    const inner = path === "" ? name : `${path}.${name}`;
    fields[name] = VALUE_FIELDS.has(name) ? untag(field, inner) : untagFields(field, untag, inner, level + 1);
  }
  return fields;
}

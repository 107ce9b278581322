/** What a client asks, read from a decoded message: every field checked, or the name of the one that is wrong. */
import { SLUICE_V1_LIMITS, type SluiceV1Limits } from "@sluice/client/contract/limits";
import type { DecodedMessage } from "@sluice/client/contract/codec";
import type { PlainObject, PlainValue } from "@sluice/client/contract/plain-value";
import type { Durability, Refused } from "@sluice/client/contract/sluice-v1";
import { NotPlainDataError, ObjectLimitError } from "@sluice/state/errors";
import type { Millis } from "@sluice/base/brand";
import type { Wish } from "@sluice/state/change";
import { ORIGIN, parsePosition, type Position } from "@sluice/state/position";
import { messageWish, removeWish, setWish } from "@sluice/state/wishes";

export type NetRequest =
  | { readonly type: "connect"; readonly params: PlainObject; readonly agent: string }
  | {
      readonly type: "open";
      readonly name: string;
      readonly durability: Durability | undefined;
      readonly from: Position | undefined;
    }
  | { readonly type: "write"; readonly object: string; readonly wishes: readonly Wish[] }
  | { readonly type: "close"; readonly object: string }
  | { readonly type: "call"; readonly method: string }
  | { readonly type: "ping" };

/** Why a request is refused before anybody is asked. */
export interface BadRequest {
  readonly type: "bad";
  readonly code: Refused["code"];
  readonly detail: string;
}

/** @returns a refusal where a field is missing or wrong, or the type is none of a request */
export function readRequest(
  message: DecodedMessage,
  limits: SluiceV1Limits = SLUICE_V1_LIMITS,
): NetRequest | BadRequest {
  try {
    return readFields(new Fields(message, limits));
  } catch (error) {
    if (error instanceof FieldError) return { type: "bad", code: error.code, detail: error.message };
    if (error instanceof NotPlainDataError) return { type: "bad", code: "not-plain", detail: error.context.path };
    if (error instanceof ObjectLimitError) return { type: "bad", code: "limit", detail: error.context.limit };
    throw error;
  }
}

function readFields(fields: Fields): NetRequest {
  const type = fields.message.type;
  switch (type) {
    case "connect":
      return { type, params: fields.map("params"), agent: fields.has("agent") ? fields.text("agent") : "" };
    case "open":
      return {
        type,
        name: fields.text("name"),
        durability: fields.durability("durability"),
        from: fields.position("from"),
      };
    case "write":
      return { type, object: fields.text("object"), wishes: fields.operations("operations").map(readWish) };
    case "close":
      return { type, object: fields.text("object") };
    case "call":
      fields.list("arguments");
      return { type, method: fields.text("method") };
    case "ping":
      return { type };
    default:
      throw new FieldError(fields.short(type), "unknown-type");
  }
}

function readWish(fields: Fields): Wish {
  const type = fields.message.type;
  switch (type) {
    case "set":
      if (!fields.has("value")) fields.refuse("value");
      return setWish(fields.text("name"), fields.message["value"], fields.expected());
    case "remove":
      return removeWish(fields.text("name"), fields.expected());
    case "message":
      return messageWish(fields.text("name"), fields.list("arguments"));
    case "lock":
      return { type, lease: fields.duration("lease") };
    case "clear":
    case "unlock":
      return { type };
    default:
      return fields.refuse("type");
  }
}

/** The fields of a message, or of one of its operations. */
class Fields {
  readonly message: DecodedMessage;
  readonly #limits: SluiceV1Limits;
  /** Of the fields in the message. */
  readonly #path: string;

  constructor(message: DecodedMessage, limits: SluiceV1Limits, path = "") {
    this.message = message;
    this.#limits = limits;
    this.#path = path;
  }

  refuse(name: string): never {
    throw new FieldError(this.#path + name, "bad-request");
  }

  has(name: string): boolean {
    return Object.hasOwn(this.message, name);
  }

  short(text: string): string {
    return text.slice(0, this.#limits.nameCharacters).toWellFormed();
  }

  text(name: string): string {
    const value = this.message[name];
    return typeof value === "string" && value.length <= this.#limits.nameCharacters ? value : this.refuse(name);
  }

  list(name: string): readonly PlainValue[] {
    const value = this.message[name];
    return isList(value) ? value : this.refuse(name);
  }

  map(name: string): PlainObject {
    const value = this.has(name) ? this.message[name] : {};
    return isMap(value) ? value : this.refuse(name);
  }

  duration(name: string): Millis {
    const value = this.message[name];
    return typeof value === "number" && value >= 1 && value <= Number.MAX_SAFE_INTEGER
      ? (value as Millis)
      : this.refuse(name);
  }

  durability(name: string): Durability | undefined {
    const value = this.message[name];
    if (value === undefined || value === "temporary" || value === "each" || value === "release") return value;
    if (!isMap(value)) return this.refuse(name);
    return { every: new Fields({ ...value, type: "" }, this.#limits, `${this.#path}${name}.`).duration("every") };
  }

  position(name: string): Position | undefined {
    const value = this.message[name];
    if (value === undefined) return undefined;
    return (typeof value === "string" ? parsePosition(value) : undefined) ?? this.refuse(name);
  }

  /** Null: the property must not exist. */
  expected(): Position | undefined {
    return this.message["expected"] === null ? ORIGIN : this.position("expected");
  }

  operations(name: string): readonly Fields[] {
    return this.list(name).map((one, i) => {
      const path = `${this.#path}${name}[${i}]`;
      if (!isMap(one)) throw new FieldError(path, "bad-request");
      if (typeof one["type"] !== "string") throw new FieldError(`${path}.type`, "bad-request");
      return new Fields(one as DecodedMessage, this.#limits, `${path}.`);
    });
  }
}

/** Never leaves this file. */
class FieldError extends Error {
  readonly code: Refused["code"];
  constructor(detail: string, code: Refused["code"]) {
    super(detail);
    this.code = code;
  }
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function isMap(value: PlainValue): value is PlainObject {
  const isPart = value instanceof Date || value instanceof Uint8Array || Array.isArray(value);
  return typeof value === "object" && value !== null && !isPart;
}

/** Bytes to messages about objects. Whatever it is given, it refuses by a `WireError` or a `LimitError`, or answers. */
import type { Millis } from "@sluice/base/brand";
import { ByteReader } from "@sluice/bytes/byte-reader";
import type { Epoch } from "@sluice/engine/epoch";
import type { Change, CurrentProperty, Durability, Operation, Outcome, RequestId, Wish } from "../change.ts";
import { NotPlainDataError, ObjectMessageError } from "../errors.ts";
import type { WholeCopy } from "../object-copy.ts";
import type { Lock, Property, Snapshot } from "../object-state.ts";
import { type Plain, plainFromBytes } from "../plain-data.ts";
import type { Position } from "../position.ts";
import {
  CHANGE_FLAGS,
  DURABILITY_TYPES,
  FIRST_SKIPPABLE_TYPE,
  MESSAGE_TYPES,
  MESSAGE_VERSION,
  type ObjectMessage,
  OPERATION_TYPES,
  REFUSAL_STATUSES,
} from "./object-message.ts";

type TypeName = ObjectMessage["type"];
const TYPE_NAMES = new Map<number, TypeName>(
  (Object.keys(MESSAGE_TYPES) as TypeName[]).map((name) => [MESSAGE_TYPES[name], name]),
);
type Step = keyof typeof OPERATION_TYPES;
const STEP_NAMES = new Map<number, Step>((Object.keys(OPERATION_TYPES) as Step[]).map((n) => [OPERATION_TYPES[n], n]));

/**
 * Keeps nothing of `bytes`.
 * @returns undefined for a message of a later version that may be passed over
 * @throws {WireError}
 */
export function decodeMessage(bytes: Uint8Array): ObjectMessage | undefined {
  return new ObjectReader(bytes).message();
}

/** @throws {WireError} */
export function decodeRow(bytes: Uint8Array): { readonly epoch: Epoch; readonly snapshot: Snapshot } {
  return new ObjectReader(bytes).row();
}

class ObjectReader {
  readonly #r: ByteReader;

  constructor(bytes: Uint8Array) {
    this.#r = new ByteReader(bytes);
  }

  message(): ObjectMessage | undefined {
    this.#version();
    const number = this.#r.u8();
    const type = TYPE_NAMES.get(number);
    if (type === undefined && number >= FIRST_SKIPPABLE_TYPE) return undefined;
    if (type === undefined) throw new ObjectMessageError({ problem: `type ${number} is unknown` });
    const message = this.#body(type, this.#text());
    this.#end();
    return message;
  }

  row(): { epoch: Epoch; snapshot: Snapshot } {
    this.#version();
    const row = { epoch: this.#epoch(), snapshot: this.#snapshot() };
    this.#end();
    return row;
  }

  #body(type: TypeName, path: string): ObjectMessage {
    switch (type) {
      case "attach": {
        const interest = this.#isSet() ? "standby" : "clients";
        const position = this.#optional(() => this.#position());
        return { type, path, interest, position, historyFrom: this.#optional(() => this.#position()) };
      }
      case "detach":
        return { type, path };
      case "connect": {
        const head = { type, path, id: this.#id(), who: this.#plain("who") };
        return { ...head, durability: this.#optional(() => this.#durability()) };
      }
      case "write": {
        const head = { type, path, id: this.#id(), who: this.#optional(() => this.#plain("who")) };
        return { ...head, isRetry: this.#isSet(), since: this.#count(), wishes: this.#list(() => this.#wish()) };
      }
      case "leave":
        return { type, path, client: this.#text() };
      case "ack":
      case "standing":
        return { type, path, epoch: this.#epoch(), position: this.#position() };
      case "snapshot":
      case "copy":
      case "hand-over":
        return { type, path, epoch: this.#epoch(), ...this.#wholeCopy() };
      case "change":
        return { type, path, epoch: this.#epoch(), change: this.#change() };
      case "answer":
        return { type, path, id: this.#id(), outcome: this.#outcome() };
      case "handed":
        return { type, path, epoch: this.#epoch(), isTaken: this.#isSet() };
      default:
        return { type, path, epoch: this.#epoch() };
    }
  }

  #wish(): Wish {
    const type = this.#step();
    switch (type) {
      case "set": {
        const name = this.#text();
        const wish = { type, name, plain: this.#plain(name) };
        const expected = this.#optional(() => this.#position());
        return expected === undefined ? wish : { ...wish, expected };
      }
      case "remove": {
        const wish = { type, name: this.#text() };
        const expected = this.#optional(() => this.#position());
        return expected === undefined ? wish : { ...wish, expected };
      }
      case "message":
        return this.#named(type);
      case "lock":
        return { type, lease: this.#count() as Millis };
      case "create":
        throw new ObjectMessageError({ problem: "a client cannot create within a write" });
      default:
        return { type };
    }
  }

  #operation(): Operation {
    const type = this.#step();
    switch (type) {
      case "create":
        return { type, durability: this.#durability() };
      case "set": {
        const name = this.#text();
        const operation = { type, name, plain: this.#plain(name) };
        const version = this.#optional(() => this.#count());
        return version === undefined ? operation : { ...operation, version };
      }
      case "remove":
        return { type, name: this.#text() };
      case "message":
        return this.#named(type);
      case "lock": {
        const operation = { type, owner: this.#text(), lease: this.#count() as Millis };
        const version = this.#optional(() => this.#count());
        return version === undefined ? operation : { ...operation, version };
      }
      default:
        return { type };
    }
  }

  #named(type: "message"): { type: "message"; name: string; plain: Plain } {
    const name = this.#text();
    const plain = this.#plain(name);
    if (!Array.isArray(plain.value)) throw new ObjectMessageError({ problem: "arguments of a message are no array" });
    return { type, name, plain };
  }

  #step(): Step {
    const number = this.#r.u8();
    const step = STEP_NAMES.get(number);
    if (step === undefined) throw new ObjectMessageError({ problem: `operation ${number} is unknown` });
    return step;
  }

  #change(): Change {
    const flags = this.#r.u8();
    const from = this.#position();
    const by = (flags & CHANGE_FLAGS.by) === 0 ? undefined : this.#id();
    const epoch = (flags & CHANGE_FLAGS.epoch) === 0 ? from.epoch : this.#epoch();
    const version = (flags & CHANGE_FLAGS.version) === 0 ? from.version + 1 : this.#count();
    if (version <= from.version) throw new ObjectMessageError({ problem: "a change ends before it begins" });
    const droppedMessages = (flags & CHANGE_FLAGS.dropped) === 0 ? 0 : this.#r.u32();
    const operations = this.#list(() => this.#operation());
    const change = { from, to: { epoch, version }, operations, droppedMessages };
    return by === undefined ? change : { ...change, by };
  }

  #wholeCopy(): WholeCopy {
    return { snapshot: this.#snapshot(), history: this.#list(() => this.#change()) };
  }

  #snapshot(): Snapshot {
    const at = this.#position();
    const durability = this.#optional(() => this.#durability());
    const lock = this.#optional<Lock>(() => {
      return { owner: this.#text(), lease: this.#count() as Millis, at: this.#position() };
    });
    const messageCount = this.#count();
    const properties = new Map<string, Property>(
      this.#list(() => {
        const name = this.#text();
        return [name, { plain: this.#plain(name), at: this.#position() }] as const;
      }),
    );
    return { at, durability, lock, messageCount, properties };
  }

  #outcome(): Outcome {
    const number = this.#r.u8();
    if (number === 0) return { type: "success", at: this.#position() };
    const status = REFUSAL_STATUSES[number - 1];
    if (status === undefined) throw new ObjectMessageError({ problem: `status ${number} is unknown` });
    const detail = this.#text();
    const current = this.#list<CurrentProperty>(() => {
      const name = this.#text();
      return { name, plain: this.#optional(() => this.#plain(name)), at: this.#position() };
    });
    return { type: "refused", status, detail, current };
  }

  #durability(): Durability {
    const number = this.#r.u8();
    switch (number) {
      case DURABILITY_TYPES.temporary:
        return { type: "temporary" };
      case DURABILITY_TYPES.each:
        return { type: "each" };
      case DURABILITY_TYPES.every:
        return { type: "every", interval: this.#count() as Millis };
      case DURABILITY_TYPES.release:
        return { type: "release" };
      default:
        throw new ObjectMessageError({ problem: `durability ${number} is unknown` });
    }
  }

  #plain(name: string): Plain {
    const bytes = this.#r.bytes(this.#r.u32());
    try {
      return plainFromBytes(bytes, name);
    } catch (error) {
      if (error instanceof NotPlainDataError) throw new ObjectMessageError({ problem: error.message });
      throw error;
    }
  }

  #id(): RequestId {
    return { client: this.#text(), sequence: this.#count() };
  }

  #position(): Position {
    return { epoch: this.#epoch(), version: this.#count() };
  }

  #epoch(): Epoch {
    return { generation: this.#count(), number: this.#count() };
  }

  #count(): number {
    const value = this.#r.f64();
    if (!Number.isSafeInteger(value) || value < 0) throw new ObjectMessageError({ problem: `${value} is no count` });
    return value;
  }

  #isSet(): boolean {
    return this.#r.u8() !== 0;
  }

  #optional<T>(read: () => T): T | undefined {
    return this.#isSet() ? read() : undefined;
  }

  /** Every item takes a byte at least, so that a declared count allocates nothing. */
  #list<T>(read: () => T): T[] {
    const count = this.#r.u32();
    if (count > this.#r.remaining) throw new ObjectMessageError({ problem: `${count} items are more than its bytes` });
    return Array.from({ length: count }, read);
  }

  #text(): string {
    return this.#r.utf8(this.#r.u16());
  }

  #version(): void {
    const version = this.#r.u8();
    if (version !== MESSAGE_VERSION) throw new ObjectMessageError({ problem: `version ${version} is unknown` });
  }

  #end(): void {
    if (this.#r.remaining > 0) throw new ObjectMessageError({ problem: `${this.#r.remaining} bytes follow its end` });
  }
}

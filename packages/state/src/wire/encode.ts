/** Messages about objects to bytes. Big-endian; texts and bytes have their length before them. */
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { Change, Durability, Operation, Outcome, RequestId, Wish } from "../change.ts";
import type { WholeCopy } from "../object-copy.ts";
import type { Snapshot } from "../object-state.ts";
import type { Position } from "../position.ts";
import {
  CHANGE_FLAGS,
  DURABILITY_TYPES,
  MESSAGE_TYPES,
  MESSAGE_VERSION,
  type ObjectMessage,
  OPERATION_TYPES,
  REFUSAL_STATUSES,
} from "./object-message.ts";

/**
 * | offset | field   | form                 |
 * | ------ | ------- | -------------------- |
 * | 0      | version | u8: 1                |
 * | 1      | type    | u8: `MESSAGE_TYPES`  |
 * | 2      | path    | u16 length, UTF-8    |
 * | …      | body    | by type              |
 */
export function encodeMessage(message: ObjectMessage): Uint8Array {
  const writer = new ObjectWriter();
  writer.message(message);
  return writer.finish();
}

/** The value of a durable object's row: which home wrote it, and the object. */
export function encodeRow(epoch: Epoch, snapshot: Snapshot): Uint8Array {
  const writer = new ObjectWriter();
  writer.row(epoch, snapshot);
  return writer.finish();
}

class ObjectWriter {
  readonly #w = new ByteWriter(256);

  finish(): Uint8Array {
    return this.#w.finish();
  }

  message(message: ObjectMessage): void {
    this.#w.u8(MESSAGE_VERSION).u8(MESSAGE_TYPES[message.type]);
    this.#text(message.path);
    switch (message.type) {
      case "attach":
        this.#w.u8(message.interest === "standby" ? 1 : 0);
        this.#optional(message.position, (position) => this.#position(position));
        return this.#optional(message.historyFrom, (position) => this.#position(position));
      case "detach":
        return;
      case "connect":
        this.#id(message.id);
        this.#bytes(message.who.bytes);
        return this.#optional(message.durability, (durability) => this.#durability(durability));
      case "write":
        return this.#write(message);
      case "leave":
        return this.#text(message.client);
      case "ack":
      case "standing":
        this.#epoch(message.epoch);
        return this.#position(message.position);
      case "snapshot":
      case "copy":
      case "hand-over":
        this.#epoch(message.epoch);
        return this.#wholeCopy(message);
      case "change":
        this.#epoch(message.epoch);
        return this.#change(message.change);
      case "answer":
        this.#id(message.id);
        return this.#outcome(message.outcome);
      case "handed":
        this.#epoch(message.epoch);
        this.#w.u8(message.isTaken ? 1 : 0);
        return;
      default:
        this.#epoch(message.epoch);
    }
  }

  row(epoch: Epoch, snapshot: Snapshot): void {
    this.#w.u8(MESSAGE_VERSION);
    this.#epoch(epoch);
    this.#snapshot(snapshot);
  }

  #write(message: ObjectMessage & { readonly type: "write" }): void {
    this.#id(message.id);
    this.#optional(message.who, ({ bytes }) => this.#bytes(bytes));
    this.#w.u8(message.isRetry ? 1 : 0).f64(message.since);
    this.#list(message.wishes, (wish) => this.#wish(wish));
  }

  #wish(wish: Wish): void {
    this.#w.u8(OPERATION_TYPES[wish.type]);
    switch (wish.type) {
      case "set":
        this.#text(wish.name);
        this.#bytes(wish.plain.bytes);
        return this.#optional(wish.expected, (position) => this.#position(position));
      case "remove":
        this.#text(wish.name);
        return this.#optional(wish.expected, (position) => this.#position(position));
      case "message":
        this.#text(wish.name);
        return this.#bytes(wish.plain.bytes);
      case "lock":
        this.#w.f64(wish.lease);
        return;
      case "clear":
      case "unlock":
    }
  }

  #operation(operation: Operation): void {
    this.#w.u8(OPERATION_TYPES[operation.type]);
    switch (operation.type) {
      case "create":
        return this.#durability(operation.durability);
      case "set":
        this.#text(operation.name);
        this.#bytes(operation.plain.bytes);
        return this.#optional(operation.version, (version) => void this.#w.f64(version));
      case "remove":
        return this.#text(operation.name);
      case "message":
        this.#text(operation.name);
        return this.#bytes(operation.plain.bytes);
      case "lock":
        this.#text(operation.owner);
        this.#w.f64(operation.lease);
        return this.#optional(operation.version, (version) => void this.#w.f64(version));
      case "clear":
      case "unlock":
    }
  }

  #change({ from, to, operations, by, droppedMessages }: Change): void {
    const hasEpoch = compareEpochs(from.epoch, to.epoch) !== 0;
    const hasVersion = to.version !== from.version + 1;
    const flags =
      (by === undefined ? 0 : CHANGE_FLAGS.by) |
      (hasEpoch ? CHANGE_FLAGS.epoch : 0) |
      (hasVersion ? CHANGE_FLAGS.version : 0) |
      (droppedMessages > 0 ? CHANGE_FLAGS.dropped : 0);
    this.#w.u8(flags);
    this.#position(from);
    if (by !== undefined) this.#id(by);
    if (hasEpoch) this.#epoch(to.epoch);
    if (hasVersion) this.#w.f64(to.version);
    if (droppedMessages > 0) this.#w.u32(droppedMessages);
    this.#list(operations, (operation) => this.#operation(operation));
  }

  #wholeCopy({ snapshot, history }: WholeCopy): void {
    this.#snapshot(snapshot);
    this.#list(history, (change) => this.#change(change));
  }

  #snapshot({ at, durability, lock, messageCount, properties }: Snapshot): void {
    this.#position(at);
    this.#optional(durability, (known) => this.#durability(known));
    this.#optional(lock, (held) => {
      this.#text(held.owner);
      this.#w.f64(held.lease);
      this.#position(held.at);
    });
    this.#w.f64(messageCount).u32(properties.size);
    for (const [name, property] of properties) {
      this.#text(name);
      this.#bytes(property.plain.bytes);
      this.#position(property.at);
    }
  }

  #outcome(outcome: Outcome): void {
    if (outcome.type === "success") {
      this.#w.u8(0);
      return this.#position(outcome.at);
    }
    this.#w.u8(1 + REFUSAL_STATUSES.indexOf(outcome.status));
    this.#text(outcome.detail);
    this.#list(outcome.current, ({ name, plain, at }) => {
      this.#text(name);
      this.#optional(plain, ({ bytes }) => this.#bytes(bytes));
      this.#position(at);
    });
  }

  #durability(durability: Durability): void {
    this.#w.u8(DURABILITY_TYPES[durability.type]);
    if (durability.type === "every") this.#w.f64(durability.interval);
  }

  #id({ client, sequence }: RequestId): void {
    this.#text(client);
    this.#w.f64(sequence);
  }

  #position({ epoch, version }: Position): void {
    this.#epoch(epoch);
    this.#w.f64(version);
  }

  #epoch({ generation, number }: Epoch): void {
    this.#w.f64(generation).f64(number);
  }

  #optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.#w.u8(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
  }

  #list<T>(items: readonly T[], write: (item: T) => void): void {
    this.#w.u32(items.length);
    for (const item of items) write(item);
  }

  #text(text: string): void {
    const bytes = encodeUtf8(text);
    this.#w.u16(bytes.length).bytes(bytes);
  }

  #bytes(bytes: Uint8Array): void {
    this.#w.u32(bytes.length).bytes(bytes);
  }
}

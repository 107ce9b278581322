/** Messages of the feed channel: changes and messages from the host, subscriptions and syncs from the client. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { EngineCapabilities, Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineFrameError } from "./errors.ts";
import { readEpoch, readText, writeEpoch, writeText } from "./wire-fields.ts";

/** First byte of a message. From this value on an unknown type is ignored, below it is an error. */
const SKIPPABLE = 0x80;

const TYPE = {
  about: 1,
  reset: 2,
  put: 3,
  deleted: 4,
  current: 5,
  message: 6,
  synced: 7,
  listen: 16,
  unlisten: 17,
  sync: 18,
} as const;

/** From the host. */
export type FeedFrame =
  /** The first frame. JSON text; unknown fields are ignored. */
  | { readonly type: "about"; readonly capabilities: EngineCapabilities }
  | { readonly type: "reset" | "current" }
  /** text key, epoch, value. */
  | { readonly type: "put"; readonly entry: Entry }
  /** text key, epoch. */
  | { readonly type: "deleted"; readonly key: Key; readonly revision: Epoch }
  /** u32 number that the client chose for the subject, message. */
  | { readonly type: "message"; readonly subject: number; readonly message: Uint8Array }
  /** u32 number of the `sync`: every change acknowledged before the `sync` has been sent. */
  | { readonly type: "synced"; readonly number: number };

/** From the client. */
export type FeedRequest =
  /** u32 number, text subject. */
  | { readonly type: "listen"; readonly number: number; readonly subject: Key }
  /** u32 number. */
  | { readonly type: "unlisten" | "sync"; readonly number: number };

export function encodeFeedFrame(frame: FeedFrame): Uint8Array {
  const w = new ByteWriter(64).u8(TYPE[frame.type]);
  switch (frame.type) {
    case "about":
      w.utf8(JSON.stringify(frame.capabilities));
      break;
    case "put":
      writeText(w, frame.entry.key);
      writeEpoch(w, frame.entry.revision);
      w.bytes(frame.entry.value);
      break;
    case "deleted":
      writeText(w, frame.key);
      writeEpoch(w, frame.revision);
      break;
    case "message":
      w.u32(frame.subject).bytes(frame.message);
      break;
    case "synced":
      w.u32(frame.number);
      break;
    default: // no fields
  }
  return w.finish();
}

/** Values are views of `bytes`. @returns undefined for a type to be ignored. @throws {WireError} */
export function decodeFeedFrame(bytes: Uint8Array): FeedFrame | undefined {
  const r = new ByteReader(bytes);
  const type = r.u8();
  switch (type) {
    case TYPE.about:
      return { type: "about", capabilities: readCapabilities(r.utf8(r.remaining)) };
    case TYPE.reset:
      return { type: "reset" };
    case TYPE.put:
      return { type: "put", entry: readEntry(r) };
    case TYPE.deleted:
      return { type: "deleted", key: readText(r), revision: readEpoch(r) };
    case TYPE.current:
      return { type: "current" };
    case TYPE.message:
      return { type: "message", subject: r.u32(), message: r.rest() };
    case TYPE.synced:
      return { type: "synced", number: r.u32() };
    default:
      return passOver(type);
  }
}

export function encodeFeedRequest(request: FeedRequest): Uint8Array {
  const w = new ByteWriter(64).u8(TYPE[request.type]).u32(request.number);
  if (request.type === "listen") writeText(w, request.subject);
  return w.finish();
}

/** @returns undefined for a type to be ignored. @throws {WireError} */
export function decodeFeedRequest(bytes: Uint8Array): FeedRequest | undefined {
  const r = new ByteReader(bytes);
  const type = r.u8();
  switch (type) {
    case TYPE.listen:
      return { type: "listen", number: r.u32(), subject: readText(r) };
    case TYPE.unlisten:
      return { type: "unlisten", number: r.u32() };
    case TYPE.sync:
      return { type: "sync", number: r.u32() };
    default:
      return passOver(type);
  }
}

function readEntry(r: ByteReader): Entry {
  const [key, revision, value] = [readText(r), readEpoch(r), r.rest()];
  return { key, value, revision };
}

function passOver(type: number): undefined {
  if (type < SKIPPABLE) throw new EngineFrameError({ detail: `a frame of unknown type ${type}` });
  return undefined;
}

function readCapabilities(text: string): EngineCapabilities {
  const from = parsed(text);
  const flag = (name: keyof EngineCapabilities): boolean => from[name] === true;
  const bytes = (name: keyof EngineCapabilities): number => {
    const value = from[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw new EngineFrameError({ detail: `capabilities without ${name}` });
  };
  return {
    engine: String(from["engine"]),
    serverVersion: String(from["serverVersion"]),
    isDurable: flag("isDurable"),
    survivesPowerLoss: flag("survivesPowerLoss"),
    survivesNodeLoss: flag("survivesNodeLoss"),
    enforcesLeases: flag("enforcesLeases"),
    hasLogs: flag("hasLogs"),
    maxValueBytes: bytes("maxValueBytes"),
    maxKeyBytes: bytes("maxKeyBytes"),
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // reported below
  }
  throw new EngineFrameError({ detail: "capabilities that are no object" });
}

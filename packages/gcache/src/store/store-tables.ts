/** The tables of a member's database, and the encoding of their values. */
import { crc32 } from "node:zlib";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { MemberList } from "@sluice/cache/replica/members";
import type { HardState } from "@sluice/cache/replica/replica-output";
import { type Database, open, type RootDatabase } from "lmdb";
import { PRIVATE_FILE } from "@sluice/runtime/private-files";
import { StoreBatchError } from "./store-batch.ts";

/** Raised when older versions can no longer read the tables. */
export const STORE_FORMAT = 2;

/** The database, in the folder of the store. */
export const DATABASE = "store.mdb";

export interface StoreTables {
  readonly root: RootDatabase<Buffer, string>;
  /** One row of JSON for each of `identity`, `hard`, `snapshot`, `pins`, `run`. */
  readonly facts: Database<Buffer, string>;
  /** By the sequence of their first batch: groups, as `joinRuns` makes them. */
  readonly batches: Database<Buffer, number>;
  /** By snapshot and number, each after its checksum. */
  readonly pieces: Database<Buffer, [snapshot: number, piece: number]>;
}

const TABLE_NAMES: readonly string[] = ["facts", "batches", "pieces"];

/** Creates missing tables. */
export function openTables(file: string): StoreTables {
  return tablesOf(openRoot(file, "read-write"));
}

/** Opens read-only; `undefined` if a kill left a database without tables. @throws {StoreBatchError} */
export async function readTables(file: string): Promise<StoreTables | undefined> {
  const root = openRoot(file, "read-only");
  const names = [...root.getKeys({})];
  const foreign = names.find((name) => !TABLE_NAMES.includes(name));
  if (foreign !== undefined)
    throw new StoreBatchError({ detail: `it is another program's database, with "${foreign}"` });
  if (names.length === TABLE_NAMES.length) return tablesOf(root);
  await root.close();
  return undefined;
}

function openRoot(path: string, access: "read-write" | "read-only"): RootDatabase<Buffer, string> {
  const options = { path, noSubdir: true, encoding: "binary", maxDbs: TABLE_NAMES.length + 1 } as const;
  const readOnly = access === "read-only";
  // `permissionsMode` is missing in the types
  const more = { readOnly, eventTurnBatching: false, permissionsMode: PRIVATE_FILE };
  return open<Buffer, string>({ ...options, ...more });
}

function tablesOf(root: RootDatabase<Buffer, string>): StoreTables {
  const table = <Key extends string | number | [number, number]>(name: string): Database<Buffer, Key> =>
    root.openDB<Buffer, Key>({ name, encoding: "binary" });
  return { root, facts: table("facts"), batches: table("batches"), pieces: table("pieces") };
}

export interface IdentityFact {
  readonly format: number;
  readonly member: string;
  /** Hex. */
  readonly storeId: string;
  readonly clusterId: string;
}

export interface HardFact {
  readonly hardState: HardState | undefined;
  /** Sequence of the newest batch stored in the database, compacted ones included. */
  readonly sequence: number;
}

export interface SnapshotFact {
  readonly id: number;
  readonly pieceCount: number;
  readonly index: number;
  readonly term: number;
  readonly time: number;
  readonly members: MemberList;
}

export interface RunFact {
  /** Boot id of the machine when the store was last open. */
  readonly boot: string;
  readonly wasClosed: boolean;
  /** It may lack records that it confirmed, and has not caught up with a leader since. */
  readonly isDoubtful?: boolean;
}

export interface Facts {
  readonly identity: IdentityFact;
  readonly hard: HardFact;
  readonly snapshot: SnapshotFact;
  readonly run: RunFact;
  /** Store ids of the other members, in hex. */
  readonly pins: Readonly<Record<string, string>>;
}

/** @throws {StoreBatchError} when the row is damaged */
export function readFact<Name extends keyof Facts>({ facts }: StoreTables, name: Name): Facts[Name] | undefined {
  const bytes = facts.getBinary(name);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(uncheck(bytes).toString()) as Facts[Name];
  } catch {
    throw new StoreBatchError({ detail: `the row "${name}" is damaged` });
  }
}

export function factBytes(
  fact: IdentityFact | HardFact | SnapshotFact | RunFact | Readonly<Record<string, string>>,
): Buffer {
  return check(Buffer.from(JSON.stringify(fact)));
}

export function metaOf(fact: SnapshotFact): SnapshotMeta {
  const { index, term, time, members } = fact;
  const ids = members.map((member) => ({ ...member, id: member.id as MemberId }));
  return { index: index as LogIndex, term: term as Term, time: time as Millis, members: ids };
}

const CHECKSUM_BYTES = 4;

/** `bytes` after their checksum. */
export function check(bytes: Uint8Array): Buffer {
  const checked = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length);
  checked.writeUInt32BE(crc32(bytes));
  checked.set(bytes, CHECKSUM_BYTES);
  return checked;
}

/** @throws {StoreBatchError} */
export function uncheck(bytes: Buffer): Buffer {
  const body = bytes.subarray(CHECKSUM_BYTES);
  if (bytes.length < CHECKSUM_BYTES || bytes.readUInt32BE() !== crc32(body)) {
    throw new StoreBatchError({ detail: "its checksum is wrong" });
  }
  return body;
}

/**
 * For use within a batch: the batch's own promise reports failures, so the promises of its parts, which lmdb also rejects, are ignored.
 */
export function put<Key extends string | number | [number, number]>(
  table: Database<Buffer, Key>,
  key: Key,
  value: Buffer,
): void {
  table.put(key, value).catch(quiet);
}

/** As `put`. */
export function remove<Key extends number | [number, number]>(table: Database<Buffer, Key>, key: Key): void {
  table.remove(key).catch(quiet);
}

const SYSTEM_ERROR_MS = 50;
/** Longer than a close takes; after a failed commit it may never end. */
const CLOSE_MS = 1_000;

export async function closeTables({ root }: StoreTables): Promise<void> {
  await Promise.race([root.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
}

/** Runs `changes` as one transaction. @returns once it is synced */
export async function commit({ root }: StoreTables, changes: () => void): Promise<void> {
  try {
    await root.batch(changes);
    await root.flushed;
  } catch (error) {
    const { commitError } = error as { readonly commitError?: Promise<unknown> };
    // Rejects with the system's error, or sometimes never settles.
    await Promise.race([commitError, new Promise((resolve) => setTimeout(resolve, SYSTEM_ERROR_MS))]);
    throw error;
  }
}

async function quiet(failure: { readonly commitError?: Promise<unknown> }): Promise<void> {
  await Promise.allSettled([failure.commitError]);
}

/** Fills an empty state from the frames of a snapshot, and refuses an incomplete or damaged one. */
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { EntryPlaces } from "./entry-places.ts";
import { SnapshotBytesError } from "./errors.ts";
import type { NamedCache } from "./named-cache.ts";
import type { EntryVersion } from "./operation.ts";
import {
  RECORD,
  readCache,
  readEntry,
  readHead,
  readLease,
  readMark,
  readRemembered,
  SNAPSHOT_MAGIC,
  SNAPSHOT_VERSION,
} from "./snapshot-records.ts";
import { FRAME_HEAD_BYTES } from "./snapshot-writer.ts";
import type { StateContents } from "./state-contents.ts";
import type { Millis } from "@sluice/base/brand";

/** Room besides the largest value: its key and the other fields of its record. */
const RECORD_ROOM = 128 * 1024;

export class SnapshotReader {
  readonly #contents: StateContents;
  readonly #queue = new ByteQueue();
  readonly #places = new EntryPlaces();
  #cache: NamedCache | undefined;
  #offset = 0;
  #entryCount = 0;
  #stage: "head" | "records" | "over" = "head";

  /** @param contents  empty; unusable after an error */
  constructor(contents: StateContents) {
    this.#contents = contents;
  }

  /** Bytes in any split. @throws {WireError} */
  offer(bytes: Uint8Array): void {
    this.#queue.offer(bytes);
    for (let body = this.#takeFrame(); body !== undefined; body = this.#takeFrame()) this.#readFrame(body);
  }

  /** @throws {SnapshotBytesError} when something is missing */
  finish(): void {
    if (this.#stage !== "over" || this.#queue.length > 0) throw this.#problem("it is cut short");
  }

  #takeFrame(): Uint8Array | undefined {
    const head = this.#queue.peek(FRAME_HEAD_BYTES);
    if (head === undefined) return undefined;
    const r = new ByteReader(head);
    const length = r.u32();
    const { valueBytes, snapshotPieceBytes, rememberedBytes } = this.#contents.limits;
    const longest = 2 * Math.max(valueBytes, rememberedBytes) + snapshotPieceBytes + RECORD_ROOM;
    if (this.#stage === "over" || length > longest) throw this.#problem("a frame is too long or one too many");
    if (this.#queue.length < FRAME_HEAD_BYTES + length) return undefined;
    this.#queue.skip(FRAME_HEAD_BYTES);
    const body = this.#queue.take(length) as Uint8Array;
    if (this.#contents.checksum(body) !== r.u32()) throw this.#problem("a checksum is wrong");
    this.#offset += FRAME_HEAD_BYTES + length;
    return body;
  }

  #readFrame(body: Uint8Array): void {
    const r = new ByteReader(body);
    while (r.remaining > 0) {
      const kind = r.u8();
      if (this.#stage === "over" || (this.#stage === "head") !== (kind === RECORD.head)) {
        throw this.#problem("a record is out of place");
      }
      this.#readRecord(r, kind);
    }
  }

  #readRecord(r: ByteReader, kind: number): void {
    const contents = this.#contents;
    switch (kind) {
      case RECORD.head:
        return this.#readHead(r);
      case RECORD.lease:
        return contents.leases.add(readLease(r));
      case RECORD.answer:
        return contents.answers.add(readRemembered(r));
      case RECORD.mark:
        return contents.answers.addMark(readMark(r));
      case RECORD.cache:
        return this.#readCache(r);
      case RECORD.entry:
        return this.#readEntry(r);
      case RECORD.end:
        if (r.f64() !== this.#entryCount) throw this.#problem("its count of entries is wrong");
        this.#stage = "over";
        return;
      default:
        throw this.#problem("a record is of no known kind");
    }
  }

  #readHead(r: ByteReader): void {
    if (r.u32() !== SNAPSHOT_MAGIC || r.u8() !== SNAPSHOT_VERSION) throw this.#problem("it is of another version");
    const { generation, index, term, time } = readHead(r);
    this.#contents.generation = generation;
    this.#contents.index = index;
    this.#contents.term = term;
    this.#contents.time = time as Millis;
    this.#stage = "records";
  }

  #readCache(r: ByteReader): void {
    const { name, limits } = readCache(r);
    const isNew = this.#contents.findCache(name) === undefined;
    this.#cache = isNew ? this.#contents.cacheFor(name) : undefined;
    if (this.#cache === undefined) throw this.#problem("a cache is named twice or one too many");
    this.#cache.limits = limits;
  }

  #readEntry(r: ByteReader): void {
    const { key, value, version, expiresAt, lease } = readEntry(r);
    const cache = this.#cache;
    if (cache === undefined || version === 0 || cache.table.find(key) !== 0)
      throw this.#problem("an entry is out of place");
    const slot = cache.table.add(this.#places.point(key, value), version as EntryVersion);
    cache.setExpiry(slot, expiresAt === 0 ? "never" : (expiresAt as Millis));
    if (lease !== undefined) cache.bind(slot, lease);
    this.#entryCount++;
  }

  #problem(problem: string): SnapshotBytesError {
    return new SnapshotBytesError({ problem, offset: this.#offset });
  }
}

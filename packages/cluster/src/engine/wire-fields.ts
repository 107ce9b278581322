/** Fields shared by calls and the feed of the engine: numbers up to 2⁵³ − 1, epochs, texts. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import { type ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineFrameError } from "./errors.ts";

/** u64; numbers above 2⁵³ − 1 are refused. */
export function writeCount(w: ByteWriter, count: number): void {
  w.u32(Math.floor(count / 2 ** 32)).u32(count % 2 ** 32);
}

/** @throws {EngineFrameError} */
export function readCount(r: ByteReader): number {
  const count = r.u32() * 2 ** 32 + r.u32();
  if (!Number.isSafeInteger(count)) throw new EngineFrameError({ detail: `a number beyond 2^53 (${count})` });
  return count;
}

/** u64 generation, u64 number. */
export function writeEpoch(w: ByteWriter, epoch: Epoch): void {
  writeCount(w, epoch.generation);
  writeCount(w, epoch.number);
}

export function readEpoch(r: ByteReader): Epoch {
  return { generation: readCount(r), number: readCount(r) };
}

/** u16 bytes, then UTF-8. */
export function writeText(w: ByteWriter, text: string): void {
  const bytes = encodeUtf8(text);
  w.u16(bytes.length).bytes(bytes);
}

export function readText(r: ByteReader): string {
  return r.utf8(r.u16());
}

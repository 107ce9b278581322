/** The bytes of one connection in both directions, with times, in a file that people can read and tests can replay. */

/**
 * A capture file is JSON lines: first a `CaptureHeader`, then one `CaptureEntry` per line in order of time:
 *
 * ```
 * {"capture":1,"protocol":"rtmp","startedAt":"2026-01-01T00:00:00.000Z","origin":"ffmpeg 5.1 publishing AVC and AAC"}
 * {"at":0,"from":"peer","bytes":"AwAAAAA…"}
 * {"at":12,"from":"us","bytes":"AwAAAAA…"}
 * {"at":900,"from":"peer","end":"closed"}
 * ```
 */
export interface CaptureHeader {
  /** Version of this format. */
  readonly capture: 1;
  readonly protocol: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Program that produced the bytes, and its options. */
  readonly origin: string;
}

/** `peer` sent it to us, or `us` to the peer. */
export type Side = "peer" | "us";

export interface BytesEntry {
  /** Milliseconds since the capture began. */
  readonly at: number;
  readonly from: Side;
  readonly bytes: Uint8Array;
}

export interface EndEntry {
  readonly at: number;
  readonly from: Side;
  /** How that side ended: `closed`, or the code of an error. */
  readonly end: string;
}

export type CaptureEntry = BytesEntry | EndEntry;

export interface Capture {
  readonly header: CaptureHeader;
  readonly entries: readonly CaptureEntry[];
}

export class CaptureFormatError extends Error {
  override readonly name = "CaptureFormatError";
}

export function encodeHeader(header: CaptureHeader): string {
  return `${JSON.stringify(header)}\n`;
}

export function encodeEntry(entry: CaptureEntry): string {
  if ("end" in entry) return `${JSON.stringify(entry)}\n`;
  const { at, from, bytes } = entry;
  return `${JSON.stringify({ at, from, bytes: Buffer.from(bytes).toString("base64") })}\n`;
}

export function encodeCapture(capture: Capture): string {
  return encodeHeader(capture.header) + capture.entries.map(encodeEntry).join("");
}

/** @throws {CaptureFormatError} naming the line */
export function decodeCapture(text: string): Capture {
  const [first = "", ...rest] = text.split("\n").filter((line) => line !== "");
  const header = parseLine(first, 1) as Partial<CaptureHeader>;
  if (header.capture !== 1) throw new CaptureFormatError("Cannot read capture: line 1 is not a header of version 1");
  return { header: header as CaptureHeader, entries: rest.map((line, i) => decodeEntry(line, i + 2)) };
}

function decodeEntry(line: string, lineNumber: number): CaptureEntry {
  const { at, from, bytes, end } = parseLine(line, lineNumber) as Record<string, unknown>;
  if (typeof at === "number" && (from === "peer" || from === "us")) {
    if (typeof bytes === "string") return { at, from, bytes: new Uint8Array(Buffer.from(bytes, "base64")) };
    if (typeof end === "string") return { at, from, end };
  }
  throw new CaptureFormatError(`Cannot read capture: line ${lineNumber} is neither bytes nor an end`);
}

function parseLine(line: string, lineNumber: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // reported below
  }
  throw new CaptureFormatError(`Cannot read capture: line ${lineNumber} is not a JSON object`);
}

/** Everything one side sent, joined. */
export function bytesFrom(capture: Capture, side: Side): Uint8Array {
  return new Uint8Array(Buffer.concat(piecesFrom(capture, side)));
}

/** Everything one side sent, in the pieces in which it was read. */
export function piecesFrom(capture: Capture, side: Side): Uint8Array[] {
  return capture.entries.flatMap((entry) => (entry.from === side && "bytes" in entry ? [entry.bytes] : []));
}

export interface TrimOptions {
  /** Keeps only what this side sent. */
  readonly only?: Side;
  /** Keeps entries up to this time. */
  readonly untilMillis?: number;
  /** Keeps this many bytes of each side; cuts the entry at the limit. */
  readonly maxBytes?: number;
  readonly origin?: string;
}

/** Makes a capture smaller, for use as a fixture. */
export function trimCapture(capture: Capture, options: TrimOptions): Capture {
  const left: Record<Side, number> = { peer: options.maxBytes ?? Infinity, us: options.maxBytes ?? Infinity };
  const entries: CaptureEntry[] = [];
  for (const entry of capture.entries) {
    if (options.only !== undefined && entry.from !== options.only) continue;
    if (entry.at > (options.untilMillis ?? Infinity)) break;
    if ("end" in entry) {
      if (left[entry.from] > 0) entries.push(entry);
      continue;
    }
    const bytes = entry.bytes.subarray(0, left[entry.from]);
    left[entry.from] -= bytes.length;
    if (bytes.length > 0) entries.push({ ...entry, bytes });
  }
  return { header: { ...capture.header, origin: options.origin ?? capture.header.origin }, entries };
}

/** The command `flv-dump [--json] FILE`: prints each tag of an FLV file, or of standard input when FILE is `-`. */
import { createReadStream } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { type FlvTag, takeFlvHeader, takeTag } from "@sluice/formats/flv/flv-tag";
import { plainLines } from "@sluice/runtime/plain-text";
import { describeTag, formatRow } from "./flv-rows.ts";

const USAGE = "Usage: sluice flv-dump [--json] FILE";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "it may not be read",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file",
};

/** Where the command reads and writes; a test gives its own. */
export interface DumpStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
}

/**
 * Prints as it reads, so that a file of any size and a live pipe work alike.
 *
 * @param args  what follows the command's name
 * @returns the exit code: 0 when the file was read to its end, 1 when it is no FLV, is damaged or is cut short
 */
export async function flvDump(args: readonly string[], streams: DumpStreams = processStreams()): Promise<number> {
  const isJson = args.includes("--json");
  const [file, ...rest] = args.filter((arg) => arg !== "--json");
  if (file === undefined || rest.length > 0 || (file.startsWith("-") && file !== "-")) return fail(streams, USAGE);
  const source = file === "-" ? streams.input : createReadStream(file);
  try {
    return await dump(source, isJson, streams);
  } catch (error) {
    if (isBrokenPipe(error)) return 0;
    if (error instanceof WireError || error instanceof LimitError) return fail(streams, error.message);
    if (isSystemError(error))
      return fail(streams, `Cannot read ${file}: ${REASONS[error.code ?? ""] ?? error.message}`);
    throw error;
  }
}

async function dump(source: Readable, isJson: boolean, streams: DumpStreams): Promise<number> {
  const queue = new ByteQueue();
  let hasHeader = false;
  let tagCount = 0;
  let span: { readonly first: number; readonly last: number } | undefined;
  for await (const bytes of source as AsyncIterable<Buffer>) {
    queue.offer(bytes);
    hasHeader ||= takeFlvHeader(queue) !== undefined;
    const tags = hasHeader ? takeTags(queue) : [];
    tagCount += tags.length;
    for (const { timestamp } of tags) span = { first: span?.first ?? timestamp, last: timestamp };
    const rows = tags.map(describeTag);
    await write(streams.output, rows.map((row) => `${isJson ? JSON.stringify(row) : formatRow(row)}\n`).join(""));
  }
  if (!hasHeader) return fail(streams, "Cannot read FLV header: the file ends before it does");
  if (!isJson) await write(streams.output, `${tagCount} tags, ${(span?.last ?? 0) - (span?.first ?? 0)} ms\n`);
  return queue.length === 0
    ? 0
    : fail(streams, `Cannot read the last tag: the file ends ${queue.length} bytes into it`);
}

function takeTags(queue: ByteQueue): FlvTag[] {
  const tags: FlvTag[] = [];
  for (let tag = takeTag(queue); tag !== undefined; tag = takeTag(queue)) tags.push(tag);
  return tags;
}

/** Resolves once the text was taken; rejects when the reader is gone. */
function write(output: Writable, text: string): Promise<void> {
  if (text === "") return Promise.resolve();
  return new Promise((resolve, reject) => {
    output.write(plainLines(text), (error) => (error ? reject(error) : resolve()));
  });
}

function fail(streams: DumpStreams, message: string): number {
  streams.errors.write(`${plainLines(message)}\n`);
  return 1;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string";
}

/** `flv-dump … | head` is no failure. */
function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === "EPIPE";
}

function processStreams(): DumpStreams {
  process.stdout.on("error", () => {});
  return { input: process.stdin, output: process.stdout, errors: process.stderr };
}

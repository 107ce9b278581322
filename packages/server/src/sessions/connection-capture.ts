/** Writes what passes over a connection to a file that the test kit can replay; for finding faults, off by default. */
import { createWriteStream, type WriteStream } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "@sluice/base/clock";
import { makePrivateFolder, PRIVATE_FILE } from "@sluice/runtime/private-files";

export interface CaptureOptions {
  readonly dir: string;
  readonly protocol: string;
  readonly clock: Clock;
}

/** Bytes of one file; a capture that reaches it ends there and says so. */
const MOST_FILE_BYTES = 64 * 1024 * 1024;

/** File names hold the time and the address of the connection; characters that a file system may not like become `_`. */
function fileFor({ dir, protocol, clock }: CaptureOptions, socket: Socket): string {
  const when = new Date(clock.wall()).toISOString().replaceAll(":", "-");
  const peer = `${socket.remoteAddress}-${socket.remotePort}`.replaceAll(/[^0-9a-zA-Z.-]/g, "_");
  return join(dir, `${when}-${protocol}-${peer}.capture`);
}

/** Records both directions of `socket` from here on, until it closes. */
export function captureConnection(socket: Socket, options: CaptureOptions): void {
  if (!hasFolder(options.dir)) return;
  const file = createWriteStream(fileFor(options, socket), { mode: PRIVATE_FILE });
  file.on("error", () => {}); // a full disk must not touch the connection
  const origin = `${socket.remoteAddress}:${socket.remotePort}`;
  const startedAt = new Date(options.clock.wall()).toISOString();
  file.write(`${JSON.stringify({ capture: 1, protocol: options.protocol, startedAt, origin })}\n`);
  record(socket, file, options.clock);
}

/** A folder that cannot be made must not touch the connection either. */
function hasFolder(dir: string): boolean {
  try {
    makePrivateFolder(dir);
    return true;
  } catch {
    return false;
  }
}

function record(socket: Socket, file: WriteStream, clock: Clock): void {
  const start = clock.now();
  const put = (entry: object): void => {
    if (file.writableEnded) return;
    file.write(`${JSON.stringify({ at: Math.round(clock.now() - start), ...entry })}\n`);
    if (file.bytesWritten + file.writableLength > MOST_FILE_BYTES)
      file.end(`${JSON.stringify({ at: Math.round(clock.now() - start), from: "us", end: "capture-limit" })}\n`);
  };
  const write = socket.write.bind(socket) as (chunk: Uint8Array | string, ...rest: never[]) => boolean;
  socket.write = (chunk: Uint8Array | string, ...rest: never[]): boolean => {
    if (chunk.length > 0) put({ from: "us", bytes: Buffer.from(chunk as Uint8Array).toString("base64") });
    return write(chunk, ...rest);
  };
  socket.on("data", (bytes: Buffer) => put({ from: "peer", bytes: bytes.toString("base64") }));
  socket.once("close", (hadError: boolean) => {
    put({ from: "peer", end: hadError ? "error" : "closed" });
    file.end();
  });
}

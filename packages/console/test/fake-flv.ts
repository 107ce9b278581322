// A live FLV stream from ffmpeg, over HTTP or a WebSocket, for as long as the viewer stays.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Duplex } from "node:stream";

const FFMPEG_ARGUMENTS = (
  "-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=300:sample_rate=48000 " +
  "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p -c:a aac -b:a 64k " +
  "-t 60 -flvflags no_duration_filesize -f flv pipe:1"
).split(" ");

/** RFC 6455 §1.3 */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function sendFlv(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "video/x-flv" });
  const source = startSource();
  source.stdout.pipe(response);
  response.on("close", () => source.kill());
}

export function sendFlvOverWebSocket(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${WEBSOCKET_GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const source = startSource();
  source.stdout.on("data", (bytes: Buffer) => socket.write(binaryFrame(bytes)));
  socket.on("error", () => socket.destroy());
  socket.on("data", () => socket.end()); // the only thing a viewer sends is a close frame
  socket.on("close", () => source.kill());
}

function startSource(): ChildProcessByStdio<null, Readable, null> {
  return spawn("ffmpeg", FFMPEG_ARGUMENTS, { stdio: ["ignore", "pipe", "ignore"] });
}

/** One final, unmasked binary frame. RFC 6455 §5.2 */
function binaryFrame(payload: Buffer): Buffer {
  const header = payload.length < 126 ? Buffer.from([0x82, payload.length]) : longHeader(payload.length);
  return Buffer.concat([header, payload]);
}

function longHeader(length: number): Buffer {
  const header = Buffer.alloc(length < 0x10000 ? 4 : 10);
  header[0] = 0x82;
  header[1] = length < 0x10000 ? 126 : 127;
  if (length < 0x10000) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** The blocks of the plain handshake and the first byte before them. RTMP 1.0 §5.2. */
import type { Crypto } from "@sluice/base/crypto";
import { HttpOnRtmpPortError, RtmpeRefusedError, RtmpVersionError, TlsOnRtmpPortError } from "../errors.ts";

export const RTMP_VERSION = 3;
/** C1, C2, S1 and S2: time, version or second time, then 1,528 bytes. */
export const BLOCK_BYTES = 1536;

const HTTP_VERBS = ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "CONNECT ", "PATCH ", "TRACE ", "PRI "];
const TLS_HANDSHAKE_RECORD = 0x16;
const TLS_MAJOR_VERSION = 0x03;

/**
 * Judges how a peer opens: `undefined` while it could still be something that has an error of its own.
 * @throws {RtmpVersionError | RtmpeRefusedError | HttpOnRtmpPortError | TlsOnRtmpPortError}
 */
export function checkOpening(bytes: Uint8Array): "rtmp" | undefined {
  const version = bytes[0];
  if (version === undefined) return undefined;
  if (version === RTMP_VERSION) return "rtmp";
  if (version === 6 || version === 8) throw new RtmpeRefusedError({ version });
  if (version === TLS_HANDSHAKE_RECORD) {
    if (bytes.length < 2) return undefined;
    if (bytes[1] === TLS_MAJOR_VERSION) throw new TlsOnRtmpPortError();
  }
  for (const verb of HTTP_VERBS) {
    const match = matchVerb(bytes, verb);
    if (match === "whole") throw new HttpOnRtmpPortError({ verb: verb.trimEnd() });
    if (match === "part") return undefined;
  }
  throw new RtmpVersionError({ version });
}

/** C1 or S1 of the plain form: a time of zero, four zero bytes, the rest random. */
export function createPlainBlock(crypto: Crypto): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(crypto.randomBytes(BLOCK_BYTES - 8), 8);
  return block;
}

function matchVerb(bytes: Uint8Array, verb: string): "whole" | "part" | "none" {
  const count = Math.min(bytes.length, verb.length);
  for (let i = 0; i < count; i++) if (bytes[i] !== verb.charCodeAt(i)) return "none";
  return count === verb.length ? "whole" : "part";
}

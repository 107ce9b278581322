/** Two byte streams joined back to back in memory: what one end writes, the other reads; full buffers push back as sockets do. */
import { type Duplex, duplexPair as nodeDuplexPair } from "node:stream";

export interface DuplexPair extends Disposable {
  /** The end that the code under test holds. */
  readonly near: Duplex;
  /** The end that the test plays the peer on. */
  readonly far: Duplex;
}

export interface DuplexPairOptions {
  /** Bytes that each end buffers before `write` answers false. */
  readonly bufferBytes?: number;
}

/** Disposing destroys both ends. */
export function duplexPair(options: DuplexPairOptions = {}): DuplexPair {
  const [near, far] = nodeDuplexPair({ highWaterMark: options.bufferBytes ?? 16_384 });
  return {
    near,
    far,
    [Symbol.dispose]() {
      near.destroy();
      far.destroy();
    },
  };
}

/** Reads exactly `count` bytes, waiting for them. @throws {RangeError} when the stream ends first */
export async function readBytes(stream: Duplex, count: number): Promise<Uint8Array> {
  let wake = (): void => {};
  const onChange = (): void => wake();
  // Once for the whole wait: each time a listener is added while bytes lie there, the stream calls it at once.
  for (const event of ["readable", "end", "close"]) stream.on(event, onChange);
  try {
    for (;;) {
      const bytes = stream.read(count) as Uint8Array | null;
      if (bytes !== null && bytes.length === count) return bytes;
      if (bytes !== null || stream.readableEnded || stream.destroyed) {
        throw new RangeError(`Cannot read ${count} bytes: the stream ended after ${bytes?.length ?? 0}`);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const event of ["readable", "end", "close"]) stream.off(event, onChange);
  }
}

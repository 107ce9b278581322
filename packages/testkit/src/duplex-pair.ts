/** Two byte streams connected in memory: each end reads what the other writes; full buffers apply back-pressure. */
import { type Duplex, duplexPair as nodeDuplexPair } from "node:stream";

export interface DuplexPair extends Disposable {
  /** The end for the code under test. */
  readonly near: Duplex;
  /** The end for the test, which acts as the peer. */
  readonly far: Duplex;
}

export interface DuplexPairOptions {
  /** Bytes that each end buffers before `write` returns false. */
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
  // One listener for the whole wait: adding a listener while bytes are buffered calls it at once.
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

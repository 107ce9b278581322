/** What Node's own sockets write with. None of it is documented; `DirectWrites` does without where it is gone. */
import { getSystemErrorName } from "node:util";

/** One write, for as long as it is under way. */
export interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Uint8Array;
  /** `status` is 0 or a negative error of the system. */
  oncomplete?: (status: number) => void;
}

export interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** Tells of the last write, at `kLastWriteWasAsync`. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/** By the one way that Node leaves open to its inside (DEP0111, without a date). */
export function findStreamWrap(): StreamWrap | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
  try {
    const wrap = binding?.call(process, "stream_wrap");
    const isWhole =
      typeof wrap?.WriteWrap === "function" &&
      wrap.streamBaseState instanceof Int32Array &&
      typeof wrap.kLastWriteWasAsync === "number";
    return isWhole ? (wrap as StreamWrap) : undefined;
  } catch {
    return undefined;
  }
}

/** @param status  of a request that did not end well */
export const writeError = (status: number): Error => new Error(`write ${getSystemErrorName(status)}`);

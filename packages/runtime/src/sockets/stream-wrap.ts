/** Node's internal write requests. Undocumented; `DirectWrites` works without them. */
import { getSystemErrorName } from "node:util";

/** One write, while it is in progress. */
export interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Uint8Array;
  /** `status` is 0 or a negative error of the system. */
  oncomplete?: (status: number) => void;
}

export interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** Describes the last write, at `kLastWriteWasAsync`. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/** Uses the only access to Node's internals that is left (DEP0111, without a removal date). */
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

/** @param status  of a request that failed */
export const writeError = (status: number): Error => new Error(`write ${getSystemErrorName(status)}`);

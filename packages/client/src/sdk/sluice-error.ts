/** The one error of the SDK: what was asked for was not done, or nobody knows. */
import type { CurrentProperty, RefusalCode } from "../contract/sluice-v1.ts";

/** `closed`: by this program, or for good; see the state of the connection. */
export type SluiceErrorCode = RefusalCode | "closed";

/** Codes and details are those of the refusals in the protocol's document. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: SluiceErrorCode;
  readonly detail: string;
  /** With `stale`: the properties as the home has them. */
  readonly current: readonly CurrentProperty[];
  constructor(code: SluiceErrorCode, detail: string, current: readonly CurrentProperty[] = []) {
    super(detail === "" ? `Refused: ${code}` : `Refused: ${code} (${detail})`);
    this.code = code;
    this.detail = detail;
    this.current = current;
  }
}

/** What the SDK holds and how long it waits; what the protocol allows is in `contract/limits.ts`. */

export interface SdkLimits {
  /** Writes of one object that wait for a connection, or for answers to those before. */
  readonly waitingWrites: number;
  /** Milliseconds from dialling to the answer to `connect`. */
  readonly connectTimeout: number;
  /** Milliseconds between signs of life that are asked for. */
  readonly pingInterval: number;
  /** Milliseconds that a sign of life may take, and that a connection which was moved away from waits for its last answers. */
  readonly answerTimeout: number;
}

export const SDK_LIMITS: SdkLimits = {
  waitingWrites: 1_024,
  connectTimeout: 10_000,
  pingInterval: 25_000,
  answerTimeout: 10_000,
};

/** What the guard may be made to hold or read by clients and hooks; the adjustable ones are configuration keys `limits.*`. */

/** Every field is a ceiling on memory or work. */
export interface GuardLimits {
  /** Characters of a token; longer ones are refused unread. One with a certificate chain stays below. */
  readonly tokenCharacters: number;
  /** Bytes read of a hook's answer; it holds one sentence. */
  readonly hookAnswerBytes: number;
  /** Characters of a hook's reason that are told to the client. */
  readonly hookReasonCharacters: number;
  /** Addresses whose rate of connecting is remembered; about 2 MB when full. */
  readonly rateAddresses: number;
}

export const GUARD_LIMITS: GuardLimits = {
  tokenCharacters: 8_192,
  hookAnswerBytes: 4_096,
  hookReasonCharacters: 200,
  rateAddresses: 20_000,
};

/** What callers of the admin API may make this process hold. */

/** Every field is a ceiling on memory or work. */
export interface AdminLimits {
  /** Bytes of one request body; the largest legal one names a stream. */
  readonly bodyBytes: number;
  /** Event streams open at once; each costs a socket and one encoded event a second. */
  readonly subscribers: number;
  /** Bytes that wait for a slow event reader before it is dropped; one event more may be held for a moment. */
  readonly subscriberBytes: number;
  /** Characters of one part of a path, such as a session id. */
  readonly pathPartLength: number;
  /** Characters of the reason given for ending a session. */
  readonly reasonLength: number;
  /** Characters of a stream key in a body. */
  readonly keyLength: number;
}

export const DEFAULT_ADMIN_LIMITS: AdminLimits = {
  bodyBytes: 16 * 1024,
  subscribers: 64,
  subscriberBytes: 1024 * 1024,
  pathPartLength: 512,
  reasonLength: 200,
  keyLength: 512,
};

/** What callers of the admin API may make this process hold. */
import { KEY_LIMITS } from "@sluice/media/limits";

/** Every field is a ceiling on memory or work. */
export interface AdminLimits {
  /** Bytes of one request body; the largest legal one names a stream. */
  readonly bodyBytes: number;
  /** Event streams open at once; each costs a socket and the writing of what was encoded once for all. */
  readonly subscribers: number;
  /** Bytes that wait for a slow event reader before it is dropped; what is written at once may be held on top for a moment. */
  readonly subscriberBytes: number;
  /** Bytes that wait for all event readers together; above it those that lag most are dropped. */
  readonly subscribersBytes: number;
  /** Bytes of events written at once, about four times a second, `stats` not counted; further ones are left out and counted. */
  readonly batchBytes: number;
  /** Bytes of rows in one `stats` event, about; a node with more streams tells them over several seconds. */
  readonly statsBytes: number;
  /** Rows of streams or sessions in one answer. */
  readonly listRows: number;
  /** Streams of one node in its answer to another. */
  readonly nodeStreams: number;
  /** Shared objects in one answer, and of one node in its answer to another. */
  readonly objectRows: number;
  /** Bytes of a body with values of properties. */
  readonly objectBodyBytes: number;
  /** Events about shared objects in a second; further ones are left out and counted. */
  readonly objectEvents: number;
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
  subscribersBytes: 16 * 1024 * 1024,
  batchBytes: 64 * 1024,
  statsBytes: 256 * 1024,
  listRows: 1_000,
  nodeStreams: 1_000,
  objectRows: 500,
  objectBodyBytes: 256 * 1024,
  objectEvents: 50,
  pathPartLength: 512,
  reasonLength: 200,
  keyLength: KEY_LIMITS.keyCharacters,
};

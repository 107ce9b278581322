/** What replicated objects may make a node hold, and the times that homes and replicas go by. */
import type { Millis } from "@sluice/base/brand";

export interface ObjectLimits {
  /** Objects that one node has a copy of. */
  readonly objects: number;
  /** Clients of one object on one node. */
  readonly clients: number;
  /** UTF-8 bytes of an object's path. */
  readonly pathBytes: number;
  /** Properties of one object. */
  readonly properties: number;
  /** UTF-8 bytes of the name of a property or a message; RTMP has 16 bits for its length. */
  readonly nameBytes: number;
  /** Bytes of one value, or of the arguments of one message, in AMF3. */
  readonly valueBytes: number;
  /** Bytes of all properties of one object with their names; a durable one is a row of the engine as well. */
  readonly objectBytes: number;
  /** Changes and messages in one atomic batch. */
  readonly batchOperations: number;
  /** Changes kept for those who come back. */
  readonly historyChanges: number;
  /** Bytes of those changes together. */
  readonly historyBytes: number;
  /** Changes that a client or replica may be behind before it is given them as one. */
  readonly behindChanges: number;
  /** Bytes of those changes together. */
  readonly behindBytes: number;
  /** Bytes that are under way to one replica and not acknowledged by it. */
  readonly inFlightBytes: number;
  /** Requests of one node's clients to one object that have no answer yet. */
  readonly heldWrites: number;
  /** Bytes of those requests together. */
  readonly heldBytes: number;
  /** Writes a second of one client to one object; as many may come at once. */
  readonly clientWrites: number;
  /** Writes a second to one object from all its clients; as many may come at once. */
  readonly objectWrites: number;
}

export const OBJECT_LIMITS: ObjectLimits = {
  objects: 65_536,
  clients: 100_000,
  pathBytes: 512,
  properties: 4_096,
  nameBytes: 255,
  valueBytes: 64 * 1024,
  objectBytes: 384 * 1024,
  batchOperations: 256,
  historyChanges: 1_000,
  historyBytes: 1024 * 1024,
  behindChanges: 64,
  behindBytes: 256 * 1024,
  inFlightBytes: 256 * 1024,
  heldWrites: 1_024,
  heldBytes: 1024 * 1024,
  clientWrites: 2_000,
  objectWrites: 20_000,
};

export interface ObjectTimings {
  /** How long a request waits for an answer: the lease of a home, and two seconds for whoever takes over. */
  readonly holdWrites: Millis;
  /** How long a new home waits for what replicas have. */
  readonly inquiry: Millis;
  /** Between two looks for a home that was not found. */
  readonly retry: Millis;
  /** How long an object without clients stays; must outlast the reconnection of a page. */
  readonly linger: Millis;
  /** How long a standby may be silent while a writer waits for it. Must outlast a pause for garbage collection. */
  readonly standbyPatience: Millis;
  /** How long a home waits for whoever it hands over to. */
  readonly handOver: Millis;
  /** The longest lease of a lock. */
  readonly longestLock: Millis;
  /** How long the lock of a client lasts whose node cannot be reached: as long as a node's homes. */
  readonly lockDoubt: Millis;
}

export const OBJECT_TIMINGS: ObjectTimings = {
  holdWrites: 5_000 as Millis,
  inquiry: 500 as Millis,
  retry: 250 as Millis,
  linger: 5_000 as Millis,
  standbyPatience: 1_000 as Millis,
  handOver: 2_000 as Millis,
  longestLock: 60_000 as Millis,
  lockDoubt: 3_000 as Millis,
};

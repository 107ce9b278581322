/** What `sluice.v1` allows on one connection; both sides know these numbers. */

export interface SluiceV1Limits {
  /** Bytes of one message to the server; above it the connection ends with 1009. */
  readonly messageBytes: number;
  /** Bytes of one message from the server; a client must take that much. */
  readonly serverMessageBytes: number;
  /** Arrays and objects within each other, in one value. */
  readonly depth: number;
  /** Values in one message to the server, nested ones included. */
  readonly values: number;
  /** Values in one message from the server. */
  readonly serverValues: number;
  /** UTF-8 bytes of all `params` of `connect` together, as sent. */
  readonly paramsBytes: number;
  /** Objects that one connection may have open. */
  readonly objects: number;
  /** Requests of one side that have no answer yet. */
  readonly requestsInFlight: number;
  /** Messages a second of one client that are read at once, each KiB of a larger one counting as one; what comes faster is read more slowly. */
  readonly messages: number;
  /** Characters of an object's name, of a method and of a refusal's detail. */
  readonly nameCharacters: number;
  /** Moves to another address that a client follows before it has been connected for a while. */
  readonly moves: number;
}

export const SLUICE_V1_LIMITS: SluiceV1Limits = {
  messageBytes: 256 * 1024,
  serverMessageBytes: 4 * 1024 * 1024,
  depth: 64,
  values: 65_536,
  serverValues: 512 * 1024,
  paramsBytes: 16 * 1024,
  objects: 256,
  requestsInFlight: 256,
  messages: 4_000,
  nameCharacters: 512,
  moves: 5,
};

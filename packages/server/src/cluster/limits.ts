/** What strangers and other nodes may make a node of a cluster hold, and how long it waits for them. */
import type { Millis } from "@sluice/base/brand";
import type { StrangerLimits } from "@sluice/runtime/sockets/strangers";

export interface ClusterLimits extends Omit<StrangerLimits, "exempt"> {
  /** Connections that have not proved themselves yet; one more ends the oldest of the address that has most of them. */
  readonly strangers: number;
  /** Such connections from one address; one more ends its oldest. */
  readonly strangersPerAddress: number;
  /** From the connection to the end of the handshake, that of TLS included. */
  readonly handshake: Millis;
  /** Questions to one other node that wait for an answer, and its questions that are being answered. */
  readonly calls: number;
  /** How long an answer of another node is waited for, before it is named as silent. */
  readonly answer: Millis;
  /** How long a change of the engine's members is waited for. Must outlast an election and what removes and adds one. */
  readonly memberChange: Millis;
}

export const DEFAULT_CLUSTER_LIMITS: ClusterLimits = {
  strangers: 256,
  strangersPerAddress: 64,
  handshake: 3_000 as Millis,
  calls: 256,
  answer: 1_000 as Millis,
  memberChange: 15_000 as Millis,
};

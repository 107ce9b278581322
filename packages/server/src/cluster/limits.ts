/** Limits of strangers and other nodes on a node of a cluster, and its timeouts. */
import type { Millis } from "@sluice/base/brand";
import type { StrangerLimits } from "@sluice/runtime/sockets/strangers";

export interface ClusterLimits extends Omit<StrangerLimits, "exempt"> {
  /** Connections not yet proved; a further one ends the oldest of the address with the most. */
  readonly strangers: number;
  /** Such connections from one address; a further one ends its oldest. */
  readonly strangersPerAddress: number;
  /** From the connection to the end of the handshake, including TLS. */
  readonly handshake: Millis;
  /** Calls to one other node without an answer yet, and calls from it in progress. */
  readonly calls: number;
  /** Timeout of an answer from another node, after which that node is listed as silent. */
  readonly answer: Millis;
  /** Timeout of a change of the engine's members. Must outlast an election, a removal and an addition. */
  readonly memberChange: Millis;
  /** Timeout of giving up a stream to a publisher of another node. Must outlast the wait for a sign of life of its own. */
  readonly streamYield: Millis;
  /** Timeout of a move or an end of a shared object at its home. Must outlast a hand-over that fails, and an election. */
  readonly objectChange: Millis;
}

export const DEFAULT_CLUSTER_LIMITS: ClusterLimits = {
  strangers: 256,
  strangersPerAddress: 64,
  handshake: 3_000 as Millis,
  calls: 256,
  answer: 1_000 as Millis,
  memberChange: 15_000 as Millis,
  streamYield: 12_000 as Millis,
  objectChange: 6_000 as Millis,
};

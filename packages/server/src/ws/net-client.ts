/** Who a client of `sluice.v1` is before it says anything, and what all its sessions share. */
import type { Millis } from "@sluice/base/brand";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import type { PlainObject } from "@sluice/client/contract/plain-value";
import type { StreamKey } from "@sluice/media/stream-key";
import { NotPlainDataError, ObjectLimitError } from "@sluice/state/errors";
import { type Plain, toPlain } from "@sluice/state/plain-data";
import type { AccessRequest } from "../auth/access.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import type { FlushRound } from "./flush-round.ts";
import type { DeliveryFrames } from "./frames.ts";
import type { NetCounts } from "./net-counts.ts";
import type { ObjectSource } from "./open-objects.ts";

/** Alike for all sessions of a node. */
export interface SluiceSettings {
  readonly ports: SessionPorts;
  /** Id of this node. */
  readonly node: string;
  readonly objects: ObjectSource & { nextClientId(): string };
  readonly frames: DeliveryFrames;
  readonly round: FlushRound;
  readonly counts: NetCounts;
  /** How often a client that may be gone is asked. */
  readonly pingInterval: Millis;
  /** URL at another node for a client that shall leave this one; undefined where none is known. */
  readonly elsewhere: (client: NetClient) => string | undefined;
}

/** As the upgrade request says. */
export interface NetClient {
  /** Path of the URL. */
  readonly base: StreamKey;
  /** It came by TLS. */
  readonly isSecure: boolean;
  readonly address: string;
  /** Program, from the header. */
  readonly agent: string;
  /** What the guard is asked. */
  readonly access: Pick<AccessRequest, "credentials" | "pageUrl" | "origin">;
}

/** What guards of objects are asked about; undefined where `params` are no plain data or too large. */
export function whoOf({ address, base }: NetClient, session: string, params: PlainObject): Plain | undefined {
  try {
    return toPlain({ protocol: "sluice", address, path: base, session, params }, "who", SLUICE_V1_LIMITS.paramsBytes);
  } catch (error) {
    if (error instanceof NotPlainDataError || error instanceof ObjectLimitError) return undefined;
    throw error;
  }
}

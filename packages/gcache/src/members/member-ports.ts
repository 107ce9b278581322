/** What the connections between members are given by the node that runs them. */
import type { TLSSocket } from "node:tls";
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { TlsListener } from "@sluice/runtime/sockets/tls-certificate";
import type { Refusal } from "./member-errors.ts";
import type { HandshakePorts, OwnIdentity, PeerIdentity } from "./member-handshake.ts";
import type { MemberLimits } from "../node/limits.ts";

/** Read for each connection, so that it may change. */
export interface MemberTls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Tells the listener of every change. */
  readonly attach?: (listener: TlsListener) => void;
}

export interface MemberPorts {
  /** Asked for every handshake: a joiner learns its cluster's id from the first member that calls it. */
  readonly own: () => OwnIdentity;
  readonly secret: Uint8Array;
  readonly tls: MemberTls | undefined;
  readonly judge: (peer: PeerIdentity) => Refusal | undefined;
  /** A message from a member that proved itself. The bytes belong to the receiver. Throwing ends the connection. */
  readonly received: (from: string, kind: number, message: Uint8Array) => void;
  /** A member proved itself and can be dialled where it says. */
  readonly introduced: (peer: PeerIdentity) => void;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: MemberLimits;
}

const BINDING_BYTES = 32;
const BINDING_LABEL = "EXPORTER-sluice-member";

/** Ties the proof to this TLS connection: whoever stands between two members cannot pass their proofs on. */
export function handshakePorts(ports: MemberPorts, tls: TLSSocket | undefined): HandshakePorts {
  const binding = tls?.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0)) ?? new Uint8Array(0);
  return { own: ports.own(), secret: ports.secret, binding, crypto: ports.crypto, judge: ports.judge };
}

/** What a link needs from a connection: TCP, TLS, a unix socket, or the simulated network. */

/** One connection. Call `write` only between `connected` and `closed`. */
export interface LinkTransport {
  /** Keeps the order. @param bytes  owned by the transport until sent */
  write(bytes: Uint8Array): void;
  /** Bytes written that the operating system has not accepted yet. */
  readonly queuedBytes: number;
  /** The peer has proved its identity: the limits for strangers no longer apply to the connection. */
  proved(): void;
  /** Ends once everything written has been sent. May be called twice. */
  end(): void;
  /** Ends at once. May be called twice. */
  destroy(): void;
}

/** Events of a transport, in this order: `connected` once, any number of the next two, `closed` once. */
export interface TransportReceiver {
  /** @param binding  bytes that only the two ends of this TLS connection know; empty without TLS */
  connected(binding: Uint8Array): void;
  /** @param bytes  owned by the receiver */
  received(bytes: Uint8Array): void;
  /** Everything written has been sent. */
  drained(): void;
  closed(error: Error | undefined): void;
}

/** Opens connections. */
export interface LinkDialler {
  /** @param address  `host:port`, as the dial target gives it. Failures arrive by `closed`, never before this returns. */
  dial(address: string, receiver: TransportReceiver): LinkTransport;
}

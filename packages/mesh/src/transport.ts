/** What a link needs of a connection: TCP, TLS, a unix socket, or the simulated network. */

/** One connection. Written to only between `connected` and `closed`. */
export interface LinkTransport {
  /** Keeps the order. @param bytes  belong to the transport until they are sent */
  write(bytes: Uint8Array): void;
  /** Bytes that were written and that the system has not taken yet. */
  readonly queuedBytes: number;
  /** The peer has proved who it is: the connection need not be bounded as a stranger's any more. */
  proved(): void;
  /** Ends once everything written has gone out. May be called twice. */
  end(): void;
  /** Ends at once. May be called twice. */
  destroy(): void;
}

/** What a transport tells, in this order: `connected` once, any of the next two, `closed` once. */
export interface TransportReceiver {
  /** @param binding  bytes that both ends of this TLS connection know and nobody between them; empty without TLS */
  connected(binding: Uint8Array): void;
  /** @param bytes  belong to the receiver */
  received(bytes: Uint8Array): void;
  /** What was written has gone out. */
  drained(): void;
  closed(error: Error | undefined): void;
}

/** Opens connections. */
export interface LinkDialler {
  /** @param address  `host:port`, as the dial target gives it. Failures come by `closed`, never before this returns. */
  dial(address: string, receiver: TransportReceiver): LinkTransport;
}

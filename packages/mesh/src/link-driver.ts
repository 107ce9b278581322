/** Joins a link to its transport and its clock: moves bytes between them, and hands on what happens, in order. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { Link, type LinkOptions } from "./link.ts";
import type { LinkEvent } from "./link-event.ts";
import type { LinkTransport, TransportReceiver } from "./transport.ts";

/** Bytes in the transport's own queue above which nothing more is taken from the link: what is there cannot be overtaken. */
const TRANSPORT_BYTES = 64 * 1024;

export interface DriverOptions {
  readonly side: LinkOptions["side"];
  readonly limits: LinkOptions["limits"];
  readonly timings: LinkOptions["timings"];
  readonly clock: Clock;
  /** Runs `action` once what happens now has been dealt with, so that all that is sent meanwhile leaves together. */
  readonly defer: (action: () => void) => void;
  /** Asked once the transport has connected. */
  readonly handshake: (binding: Uint8Array) => LinkOptions["handshake"];
  /** Never called from within a call of the driver's owner, but for `end`. */
  readonly happened: (event: LinkEvent, driver: LinkDriver) => void;
}

export class LinkDriver implements TransportReceiver {
  readonly #options: DriverOptions;
  #transport: LinkTransport | undefined;
  #link: Link | undefined;
  #timer: Timer | undefined;
  #isFlushDue = false;
  #isDispatching = false;
  #hasEnded = false;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  /** To be called once, before the transport tells anything. */
  attach(transport: LinkTransport): void {
    this.#transport = transport;
    const { clock, timings } = this.#options;
    // The link has the same limit for its handshake, but a connection that never comes about has no link.
    this.#timer = clock.after(timings.handshake, () => {
      this.end(new Error(`No connection within ${timings.handshake} ms`));
    });
  }

  /** Undefined before the transport has connected. */
  get link(): Link | undefined {
    return this.#link;
  }

  get side(): "dial" | "accept" {
    return this.#options.side.type;
  }

  connected(binding: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#timer?.cancel();
    const { side, limits, timings, clock, handshake } = this.#options;
    this.#link = new Link({
      side,
      limits,
      timings,
      handshake: handshake(binding),
      now: clock.now(),
      outputReady: () => this.#flushSoon(),
    });
    this.#beat(timings.heartbeat);
    this.#flush();
  }

  received(bytes: Uint8Array): void {
    this.#link?.receive(bytes, this.#options.clock.now());
    this.#dispatch();
  }

  drained(): void {
    this.#flush();
  }

  closed(error: Error | undefined): void {
    this.end(error ?? new Error("The other side closed the connection"));
  }

  /** An orderly end. @param reason  told to the peer */
  goodbye(reason: string): void {
    this.#link?.goodbye(reason);
    this.#dispatch();
  }

  /** Ends at once. May be called twice. */
  end(error: Error): void {
    if (this.#link === undefined) this.#finish(error);
    else this.#link.end(error);
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      for (let event = this.#link?.nextEvent(); event !== undefined; event = this.#link?.nextEvent()) {
        if (event.type === "ended") this.#finish(event.error);
        else {
          if (event.type === "established") this.#transport?.proved();
          this.#options.happened(event, this);
        }
      }
    } finally {
      this.#isDispatching = false;
    }
    this.#flush();
  }

  #finish(error: Error | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#timer?.cancel();
    this.#writeAll(Number.POSITIVE_INFINITY);
    this.#transport?.end();
    this.#options.happened({ type: "ended", error }, this);
  }

  #flushSoon(): void {
    if (this.#isFlushDue || this.#hasEnded) return;
    this.#isFlushDue = true;
    this.#options.defer(() => {
      this.#isFlushDue = false;
      this.#dispatch();
    });
  }

  #flush(): void {
    if (!this.#hasEnded) this.#writeAll(TRANSPORT_BYTES);
  }

  #writeAll(most: number): void {
    const [link, transport] = [this.#link, this.#transport];
    if (link === undefined || transport === undefined) return;
    while (transport.queuedBytes < most) {
      const bytes = link.nextOutput(this.#options.clock.now());
      if (bytes === undefined) return;
      transport.write(bytes);
    }
  }

  #beat(heartbeat: Millis): void {
    this.#timer = this.#options.clock.after((heartbeat / 2) as Millis, () => {
      this.#link?.tick(this.#options.clock.now());
      this.#dispatch();
      if (!this.#hasEnded) this.#beat(heartbeat);
    });
  }
}

/** Joins a link to its transport and its clock: moves bytes between them and passes on events in order. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { Link, type LinkOptions } from "./link.ts";
import type { LinkEvent } from "./link-event.ts";
import type { LinkTransport, TransportReceiver } from "./transport.ts";

/** Above this many bytes in the transport's own queue the driver takes no more from the link: queued bytes cannot be overtaken. */
const TRANSPORT_BYTES = 64 * 1024;

export interface DriverOptions {
  readonly side: LinkOptions["side"];
  readonly limits: LinkOptions["limits"];
  readonly timings: LinkOptions["timings"];
  readonly clock: Clock;
  /** Runs `action` after the current event is handled, so that all output produced meanwhile leaves in one write. */
  readonly defer: (action: () => void) => void;
  /** Called once the transport has connected. */
  readonly handshake: (binding: Uint8Array) => LinkOptions["handshake"];
  /** Never called from within a call of the driver's owner, except `end`. */
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

  /** Call once, before the transport reports anything. */
  attach(transport: LinkTransport): void {
    this.#transport = transport;
    const { clock, timings } = this.#options;
    // The link has its own handshake timeout, but a connection that never opens has no link.
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

  /** Closes the link in order. @param reason  sent to the peer */
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

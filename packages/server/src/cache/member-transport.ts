/** All connections between this member and the others. */
import type { Millis } from "@sluice/base/brand";
import type { Timer } from "@sluice/base/clock";
import type { HostAndPort } from "./address.ts";
import { MemberLink } from "./member-link.ts";
import { MemberListener } from "./member-listener.ts";
import type { MemberPorts } from "./member-ports.ts";

/** Beats in the time that a connection may be silent. */
const BEATS = 4;

/** Each member dials every other and sends on the connection that it dialled; so no two connections compete. */
export class MemberTransport {
  readonly #ports: MemberPorts;
  readonly #listener: MemberListener;
  readonly #links = new Map<string, MemberLink>();
  #beatTimer: Timer | undefined;
  #lastBeat = 0 as Millis;
  #isClosed = false;

  constructor(ports: MemberPorts) {
    this.#ports = ports;
    this.#listener = new MemberListener(ports);
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  async open(at: HostAndPort): Promise<string> {
    const bound = await this.#listener.open(at);
    this.#lastBeat = this.#ports.clock.now();
    this.#beatLater();
    return bound;
  }

  /** Dials whoever is new here and forgets whoever is not. */
  reach(members: ReadonlyMap<string, string>): void {
    if (this.#isClosed) return;
    for (const [id, link] of this.#links) {
      if (members.has(id)) continue;
      link.close();
      this.#links.delete(id);
    }
    for (const [id, address] of members) {
      const link = this.#links.get(id);
      if (link !== undefined) link.address = address;
      else if (id !== this.#ports.own().id) this.#links.set(id, new MemberLink(id, address, this.#ports));
    }
  }

  isConnected(to: string): boolean {
    return this.#links.get(to)?.isOpen ?? false;
  }

  /** False when there is no connection to it now. */
  send(to: string, kind: number, message: Uint8Array): boolean {
    return this.#links.get(to)?.send(kind, message) ?? false;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#beatTimer?.cancel();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    await this.#listener.close();
  }

  #beatLater(): void {
    const { clock, limits } = this.#ports;
    const pause = (limits.silence / BEATS) as Millis;
    this.#beatTimer = clock.after(pause, () => {
      const now = clock.now();
      // Whoever was paused itself has heard nobody, and must not take that for their silence.
      const wasPaused = now - this.#lastBeat > 2 * pause;
      this.#lastBeat = now;
      if (!wasPaused) this.#beat();
      this.#beatLater();
    });
  }

  #beat(): void {
    for (const link of this.#links.values()) link.beat(BEATS);
    this.#listener.beat(BEATS);
  }
}

/** All connections between this member and the others. */
import type { Millis } from "@sluice/base/brand";
import type { Timer } from "@sluice/base/clock";
import { type HostAndPort, needsSecret } from "@sluice/runtime/sockets/host-and-port";
import { MemberLink } from "./member-link.ts";
import { MemberListener } from "./member-listener.ts";
import type { MemberPorts } from "./member-ports.ts";

/** Beats in the time that a connection may be silent. */
const BEATS = 4;

/**
 * How long a connection to a removed member stays: it must outlast the silence after which that one asks for votes, and
 * so hears that it is none any more.
 */
const FAREWELL = 5_000 as Millis;
/** Those who are no members and are spoken to all the same. */
const MOST_LEAVING = 16;

/** Each member dials every other and sends on the connection that it dialled; so no two connections compete. */
export class MemberTransport {
  readonly #ports: MemberPorts;
  readonly #listener: MemberListener;
  readonly #links = new Map<string, MemberLink>();
  /** Ends the links to those who are no members. */
  readonly #leaving = new Map<string, Timer>();
  #droppedCount = 0;
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

  /** Messages that had no connection to go out on. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Dials whoever is new here, and soon forgets whoever is not. */
  reach(members: ReadonlyMap<string, string>): void {
    if (this.#isClosed) return;
    for (const id of this.#links.keys()) {
      if (members.has(id)) this.#stay(id);
      else this.#leave(id);
    }
    for (const [id, address] of members) {
      const link = this.#links.get(id);
      if (!this.#mayDial(id, address)) continue;
      if (link !== undefined) link.address = address;
      else this.#links.set(id, new MemberLink(id, address, this.#ports));
    }
  }

  /** Dials, for a while, somebody who is no member and shall be told so. */
  greet(id: string, address: string): void {
    if (this.#isClosed || !this.#mayDial(id, address) || this.#leaving.size >= MOST_LEAVING) return;
    if (!this.#links.has(id)) this.#links.set(id, new MemberLink(id, address, this.#ports));
    this.#leave(id);
  }

  /** There is a connection to it that has carried something of late. */
  isConnected(to: string): boolean {
    return this.#links.get(to)?.isHeard ?? false;
  }

  /** It was not heard when it should have been: until it is again, it does not count as connected. */
  doubt(id: string): void {
    this.#links.get(id)?.doubt();
  }

  /** It holds a connection to this member. */
  isCalling(id: string): boolean {
    return this.#listener.hasConnectionFrom(id);
  }

  /** False when there is no connection to it now. */
  send(to: string, kind: number, message: Uint8Array): boolean {
    const isSent = this.#links.get(to)?.send(kind, message) ?? false;
    if (!isSent) this.#droppedCount++;
    return isSent;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#beatTimer?.cancel();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    for (const timer of this.#leaving.values()) timer.cancel();
    await this.#listener.close();
  }

  #mayDial(id: string, address: string): boolean {
    return id !== this.#ports.own().id && address !== "" && !needsSecret(address, this.#ports.secret);
  }

  #leave(id: string): void {
    if (this.#leaving.has(id)) return;
    const timer = this.#ports.clock.after(FAREWELL, () => {
      this.#leaving.delete(id);
      this.#links.get(id)?.close();
      this.#links.delete(id);
    });
    this.#leaving.set(id, timer);
  }

  #stay(id: string): void {
    this.#leaving.get(id)?.cancel();
    this.#leaving.delete(id);
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

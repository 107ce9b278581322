/** An encoder that sends a clip again and again, in real time, with a clock that goes on. */
import { setTimeout as pause } from "node:timers/promises";
import { connectPeer, type RtmpPeer } from "./rtmp-peer.ts";
import { restamp, type Unit } from "./units.ts";

/** Milliseconds between two looks at the clock. */
const STEP = 20;

export class LiveEncoder implements AsyncDisposable {
  readonly peer: RtmpPeer;
  readonly #ending = new AbortController();
  readonly #over: Promise<void>;

  private constructor(peer: RtmpPeer, units: readonly Unit[]) {
    this.peer = peer;
    this.#over = this.#run(units);
  }

  /** Resolves once the server has accepted it. @param units  a clip from its set-up on */
  static async start(port: number, key: string, units: readonly Unit[]): Promise<LiveEncoder> {
    const [app = "", name = ""] = key.split("/");
    const peer = await connectPeer({ port, app });
    await peer.publish(name);
    return new LiveEncoder(peer, units);
  }

  /** Without good-bye. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#over;
    await this.peer[Symbol.asyncDispose]();
  }

  async #run(units: readonly Unit[]): Promise<void> {
    const { signal } = this.#ending;
    const length = Math.max(...units.map(({ timestamp }) => timestamp)) + 40;
    const startedAt = performance.now();
    for (let round = 0; ; round++) {
      const rest = restamp(units, round * length);
      while (rest.length > 0) {
        if (signal.aborted || this.peer.isClosed) return;
        const now = performance.now() - startedAt;
        while (rest[0] !== undefined && rest[0].timestamp <= now) this.peer.send(rest.shift() as Unit);
        await pause(STEP, undefined, { signal }).catch(() => {});
      }
    }
  }
}

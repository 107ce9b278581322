/** What happens to a peer that does not take what it is sent: first nothing is acknowledged, then nothing is read of it. */
import type { RtmpPeer } from "./rtmp-peer.ts";

export class SlowPeer {
  readonly #peer: RtmpPeer;
  readonly #readOn: () => void;
  /** Something waits for the peer and has not been taken. */
  #isUnheard = false;
  #isBlocked = false;

  /** @param readOn  called once when a blocked peer has taken enough */
  constructor(peer: RtmpPeer, readOn: () => void) {
    this.#peer = peer;
    this.#readOn = readOn;
  }

  /** Asking it anything would only add to what waits. */
  get isUnheard(): boolean {
    return this.#isUnheard;
  }

  /** More waits for the peer than may: nothing of it is read or worked through before it took that. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** To be asked after each output. @returns whether the peer is blocked now */
  block(): boolean {
    const { signal, transport } = this.#peer;
    if (signal.aborted || !transport.output.isBehind) return false;
    if (!this.#isUnheard) this.#beSilent();
    if (!transport.output.isFull) return false;
    if (!this.#isBlocked) transport.pause();
    this.#isBlocked = true;
    return true;
  }

  /** Encoders that never read must not fill what waits for them with acknowledgements. */
  #beSilent(): void {
    const { engine, transport, signal } = this.#peer;
    this.#isUnheard = true;
    engine.holdAcknowledgements();
    transport.output.whenTaken(() => {
      this.#isUnheard = false;
      if (signal.aborted) return;
      engine.releaseAcknowledgements();
      this.#peer.sendOutput();
      if (this.#isBlocked) this.#unblock();
    });
  }

  #unblock(): void {
    if (this.#peer.transport.output.isFull) return this.#beSilent();
    this.#isBlocked = false;
    this.#readOn();
  }
}

/** Both ends of a channel within one node, which is a client of its own host just as of others. */
import { Channel, type ChannelClass } from "@sluice/mesh/channel";
import type { ChannelId } from "@sluice/mesh/frame";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";

/** Events of an open channel. */
export type OwnChannelEvent = Exclude<ChannelEvent, { readonly type: "opened" }>;

export interface OwnChannelOptions {
  readonly service: string;
  readonly class: ChannelClass;
  /** Events at either end; never called from within a call of the user. Throwing ends the channel. */
  readonly happened: (event: OwnChannelEvent) => void;
}

export class OwnChannel {
  /** The client's end. */
  readonly near: Channel;
  /** The host's end. */
  readonly far: Channel;
  readonly #happened: OwnChannelOptions["happened"];
  #isDue = false;
  #hasEnded = false;

  constructor({ service, class: kind, happened }: OwnChannelOptions) {
    this.#happened = happened;
    const ready = (): void => this.#moveSoon();
    const limits = DEFAULT_LINK_LIMITS;
    const end = (id: number): Channel =>
      new Channel({ id: id as ChannelId, service, class: kind, limits, credit: "automatic", ready, full() {} });
    this.near = end(1);
    this.far = end(2);
  }

  /** Deferred to after the sender's present turn, as over a link. */
  #moveSoon(): void {
    if (this.#isDue || this.#hasEnded) return;
    this.#isDue = true;
    void Promise.resolve().then(() => {
      this.#isDue = false;
      try {
        while (this.#move(this.near, this.far) || this.#move(this.far, this.near));
      } catch (error) {
        this.#fail((error as Error).message);
      }
    });
  }

  /** @returns whether anything moved */
  #move(from: Channel, to: Channel): boolean {
    if (this.#hasEnded) return false;
    const part = from.takePart(DEFAULT_LINK_LIMITS.messageBytes);
    if (part === undefined) return false;
    if (part === "close") {
      const { code = "done", reason = "" } = from.closing ?? {};
      this.#endBoth();
      this.#happened({ type: "closed", channel: to, code, reason });
      return false;
    }
    const message = to.receivePart(part.bytes, part.isEnd);
    if (message !== undefined) this.#happened({ type: "message", channel: to, message });
    from.addCredit(to.takeGrant());
    if (from.takeDrained()) this.#happened({ type: "drained", channel: from });
    return true;
  }

  #fail(reason: string): void {
    if (this.#hasEnded) return;
    this.#endBoth();
    for (const channel of [this.near, this.far]) this.#happened({ type: "closed", channel, code: "failed", reason });
  }

  #endBoth(): void {
    this.#hasEnded = true;
    this.near.end();
    this.far.end();
  }
}

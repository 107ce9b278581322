/** One end of a link, without its transport: handshake, channels, heartbeats; bytes in, events and bytes out. */
import type { Millis } from "@sluice/base/brand";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { CHANNEL_CLASSES, Channel, type ChannelClass, CLOSE_CODES } from "./channel.ts";
import { ChannelStateError, LinkFrameError } from "./errors.ts";
import { FlightWindow } from "./flight-window.ts";
import {
  type ChannelId,
  encodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_TYPE,
  FrameReader,
  LINK_CHANNEL,
  type LinkFrame,
  SKIPPABLE_BIT,
} from "./frame.ts";
import { AcceptHandshake, DialHandshake, type HandshakeOptions } from "./handshake.ts";
import type { NodeIdentity } from "./hello.ts";
import { LinkCounts } from "./link-counts.ts";
import type { LinkEvent } from "./link-event.ts";
import type { LinkLimits, LinkTimings } from "./limits.ts";
import { LinkOutput } from "./link-output.ts";

export interface LinkOptions {
  /** Dialling side with the expected id of the peer (empty: any), or accepting side. */
  readonly side: { readonly type: "dial"; readonly to: string } | { readonly type: "accept" };
  readonly handshake: HandshakeOptions;
  readonly limits: LinkLimits;
  readonly timings: LinkTimings;
  readonly now: Millis;
  /** Called when `nextOutput` may return something although the owner made no other call. */
  readonly outputReady: () => void;
}

/** Acknowledge after this many received bytes, so that the peer's window stays open. */
const ACKNOWLEDGE_BYTES = 32 * 1024;
/** A tick that is late by more than this many heartbeats means that this process itself was paused. */
const PAUSED_HEARTBEATS = 1;

type LinkState =
  | { readonly at: "handshake"; readonly handshake: DialHandshake | AcceptHandshake }
  | { readonly at: "open"; readonly peer: NodeIdentity }
  | { readonly at: "ended" };

export class Link {
  readonly counts = new LinkCounts();
  readonly #options: LinkOptions;
  readonly #reader: FrameReader;
  readonly #window: FlightWindow;
  readonly #channels = new Map<ChannelId, Channel>();
  readonly #events: LinkEvent[] = [];
  readonly #output: LinkOutput;
  #state: LinkState;
  #nextChannel: number;
  /** Highest channel number that the peer has opened. */
  #lastOpened = 0;
  #received = 0;
  #acknowledgedTo = 0;
  #heardAt: Millis;
  #sentAliveAt: Millis;
  #tickedAt: Millis;
  /** The peer's last heartbeat: the peer's clock, and the local time of its arrival. */
  #echo: { readonly sentAt: number; readonly at: Millis } | undefined;
  readonly #startedAt: Millis;

  constructor(options: LinkOptions) {
    const { side, limits, now } = options;
    this.#options = options;
    this.#reader = new FrameReader(limits.helloBytes);
    this.#window = new FlightWindow(limits);
    this.#output = new LinkOutput({
      window: this.#window,
      frameBytes: limits.sentFrameBytes,
      close: (channel) => this.#closeFrame(channel),
      sent: (channel) => this.#messageSent(channel),
    });
    this.#nextChannel = side.type === "dial" ? 1 : 2;
    this.#startedAt = now;
    this.#heardAt = now;
    this.#sentAliveAt = now;
    this.#tickedAt = now;
    if (side.type === "dial") {
      const handshake = new DialHandshake(side.to, options.handshake);
      this.#state = { at: "handshake", handshake };
      this.#output.urgent(handshake.hello());
    } else {
      this.#state = { at: "handshake", handshake: new AcceptHandshake(options.handshake) };
    }
  }

  /** Identity of the other end; undefined until it is proved, and after the end. */
  get peer(): NodeIdentity | undefined {
    return this.#state.at === "open" ? this.#state.peer : undefined;
  }

  get hasEnded(): boolean {
    return this.#state.at === "ended";
  }

  /** Smoothed round trip; undefined before the first. */
  get rtt(): Millis | undefined {
    return this.#window.rtt;
  }

  /** Time since the last received bytes. */
  silentFor(now: Millis): Millis {
    return (now - this.#heardAt) as Millis;
  }

  get channels(): Iterable<Channel> {
    return this.#channels.values();
  }

  /** Takes ownership of `bytes`. A fault of the peer ends the link and is reported by `ended`; never throws. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.#state.at === "ended") return;
    this.#heardAt = now;
    this.counts.bytesIn += bytes.length;
    this.#reader.offer(bytes);
    try {
      for (let frame = this.#reader.take(); frame !== undefined; frame = this.#reader.take()) {
        this.#onFrame(frame, now);
        if (this.hasEnded) return;
      }
    } catch (error) {
      this.end(error as Error);
    }
  }

  /** The oldest event; `undefined` once there are no more. */
  nextEvent(): LinkEvent | undefined {
    return this.#events.shift();
  }

  /** The next bytes for the peer; `undefined` when nothing may be sent now. The caller writes them unchanged, in order. */
  nextOutput(now: Millis): Uint8Array | undefined {
    const bytes = this.#state.at === "open" ? this.#output.next(now) : this.#output.nextUrgent();
    if (bytes !== undefined) this.counts.bytesOut += bytes.length;
    return bytes;
  }

  /**
   * @param greeting  at most one frame; delivered with the peer's `opened`
   * @throws {ChannelStateError} before the handshake is complete, after the end, or above the channel limit
   */
  openChannel(
    service: string,
    options: {
      readonly class: ChannelClass;
      readonly greeting?: Uint8Array;
      readonly credit?: "automatic" | "manual";
    },
  ): Channel {
    if (this.#state.at !== "open") throw new ChannelStateError({ detail: `the link is ${this.#state.at}` });
    if (this.#channels.size >= this.#options.limits.channels) {
      throw new ChannelStateError({ detail: `${this.#channels.size} are open, which is the limit` });
    }
    const id = this.#nextChannel as ChannelId;
    this.#nextChannel += 2;
    const channel = this.#addChannel(id, service, options.class, options.credit ?? "automatic");
    const name = encodeUtf8(service);
    const payload = new ByteWriter(64).u8(CHANNEL_CLASSES.indexOf(options.class)).u8(name.length).bytes(name);
    if (options.greeting !== undefined) payload.bytes(options.greeting);
    this.#output.urgent(encodeFrame(FRAME_TYPE.open, id, payload.finish()));
    this.#options.outputReady();
    return channel;
  }

  /** Call at least as often as `timings.heartbeat` while the link is established. */
  tick(now: Millis): void {
    const { heartbeat, silence, handshake } = this.#options.timings;
    // This process was paused: it could not read, so the silence is not the peer's fault.
    if (now - this.#tickedAt > heartbeat * (1 + PAUSED_HEARTBEATS)) this.#heardAt = now;
    this.#tickedAt = now;
    if (this.#state.at === "handshake" && now - this.#startedAt >= handshake) {
      this.end(new LinkFrameError({ detail: `no handshake within ${handshake} ms` }));
    }
    if (this.#state.at !== "open") return;
    if (now - this.#heardAt >= silence) {
      this.end(new LinkFrameError({ detail: `nothing heard for ${now - this.#heardAt} ms` }));
    } else if (now - this.#sentAliveAt >= heartbeat) {
      this.#sendAlive(now);
    }
  }

  /** Closes the link in order: sends what channels of class `control` have queued, then a goodbye. */
  goodbye(reason: string): void {
    if (this.#state.at === "open") {
      this.#output.flushControl(this.#tickedAt);
      this.#output.urgent(encodeFrame(FRAME_TYPE.goodbye, LINK_CHANNEL, cut(encodeUtf8(reason))));
      this.#options.outputReady();
    }
    this.end(undefined);
  }

  /** The transport is gone, or the owner ends the link. May be called twice. */
  end(error: Error | undefined): void {
    if (this.#state.at === "ended") return;
    this.#state = { at: "ended" };
    for (const channel of this.#channels.values()) {
      channel.end();
      this.#events.push({ type: "closed", channel, code: "lost", reason: error?.message ?? "the link ended" });
    }
    this.#channels.clear();
    this.#events.push({ type: "ended", error });
  }

  #onFrame(frame: LinkFrame, now: Millis): void {
    if (this.#state.at === "handshake") return this.#onHandshake(this.#state.handshake, frame, now);
    this.#received += FRAME_HEADER_BYTES + frame.payload.length;
    switch (frame.type) {
      case FRAME_TYPE.part:
        this.#onPart(frame, false);
        break;
      case FRAME_TYPE.end:
        this.#onPart(frame, true);
        break;
      case FRAME_TYPE.acknowledge:
        this.#onAcknowledge(frame.payload, "at once", now);
        break;
      case FRAME_TYPE.alive:
        this.#onAlive(frame, now);
        break;
      case FRAME_TYPE.credit:
        this.#onCredit(frame);
        break;
      case FRAME_TYPE.open:
        this.#onOpen(frame);
        break;
      case FRAME_TYPE.close:
        this.#onClose(frame);
        break;
      case FRAME_TYPE.goodbye:
        this.end(undefined);
        break;
      default:
        if (frame.type < SKIPPABLE_BIT) throw new LinkFrameError({ detail: `frame of unknown type ${frame.type}` });
        this.counts.framesSkipped++;
    }
    if (this.#received - this.#acknowledgedTo >= ACKNOWLEDGE_BYTES) this.#acknowledge();
  }

  #onHandshake(handshake: DialHandshake | AcceptHandshake, frame: LinkFrame, now: Millis): void {
    const { send, established, refused } = handshake.receive(frame);
    if (send !== undefined) this.#output.urgent(send);
    if (refused !== undefined) return this.end(refused);
    if (established === undefined) return;
    this.#state = { at: "open", peer: established };
    this.#reader.maxPayloadBytes = this.#options.limits.frameBytes;
    this.#events.push({ type: "established", peer: established });
    this.#sendAlive(now);
  }

  #onPart({ channel: id, payload }: LinkFrame, isEnd: boolean): void {
    const channel = this.#find(id);
    if (channel === undefined) return;
    const message = channel.receivePart(payload, isEnd);
    if (message !== undefined) {
      this.counts.messagesIn++;
      this.#events.push({ type: "message", channel, message });
    }
    this.#grant(channel);
  }

  #onOpen({ channel: id, payload }: LinkFrame): void {
    const isPeers = id % 2 === (this.#nextChannel % 2 === 0 ? 1 : 0);
    if (!isPeers || id <= this.#lastOpened) throw new LinkFrameError({ detail: `channel ${id} opened out of order` });
    this.#lastOpened = id;
    const r = new ByteReader(payload);
    const kind = CHANNEL_CLASSES[r.u8()];
    if (kind === undefined) throw new LinkFrameError({ detail: `channel ${id} of an unknown class` });
    const service = r.utf8(r.u8());
    if (this.#channels.size >= this.#options.limits.channels) {
      this.#output.urgent(closeFrame(id, "refused", `${this.#channels.size} channels are open, which is the limit`));
      return;
    }
    const channel = this.#addChannel(id, service, kind, "automatic");
    this.#events.push({ type: "opened", channel, greeting: r.rest() });
  }

  #onClose({ channel: id, payload }: LinkFrame): void {
    const channel = this.#find(id);
    if (channel === undefined) return;
    const r = new ByteReader(payload);
    const number = r.u8();
    const code = (Object.keys(CLOSE_CODES) as (keyof typeof CLOSE_CODES)[]).find(
      (name) => CLOSE_CODES[name] === number,
    );
    this.#forget(channel);
    this.#events.push({ type: "closed", channel, code: code ?? "failed", reason: r.utf8(r.remaining) });
  }

  #onCredit({ channel: id, payload }: LinkFrame): void {
    this.#find(id)?.addCredit(new ByteReader(payload).u32());
  }

  #onAcknowledge(payload: Uint8Array, sentAt: "at once" | "some time later", now: Millis): void {
    if (!this.#window.acknowledged(new ByteReader(payload).u32(), sentAt, now)) {
      throw new LinkFrameError({ detail: "acknowledgement of bytes that were never sent" });
    }
  }

  /** f64 sender's clock, f64 last clock received from the peer (NaN: none), f64 milliseconds since then, u32 bytes received. */
  #onAlive({ payload }: LinkFrame, now: Millis): void {
    const r = new ByteReader(payload);
    this.#echo = { sentAt: r.f64(), at: now };
    const [echoed, held] = [r.f64(), r.f64()];
    const rtt = now - echoed - held;
    if (rtt >= 0) this.#window.measured(rtt as Millis, now);
    this.#onAcknowledge(r.rest(), "some time later", now);
  }

  #sendAlive(now: Millis): void {
    this.#sentAliveAt = now;
    const w = new ByteWriter(28).f64(now);
    w.f64(this.#echo?.sentAt ?? Number.NaN).f64(this.#echo === undefined ? 0 : now - this.#echo.at);
    this.#acknowledgedTo = this.#received;
    this.#output.urgent(encodeFrame(FRAME_TYPE.alive, LINK_CHANNEL, w.u32(this.#received % 2 ** 32).finish()));
  }

  #acknowledge(): void {
    this.#acknowledgedTo = this.#received;
    const payload = new ByteWriter(4).u32(this.#received % 2 ** 32).finish();
    this.#output.urgent(encodeFrame(FRAME_TYPE.acknowledge, LINK_CHANNEL, payload));
  }

  #addChannel(id: ChannelId, service: string, kind: ChannelClass, credit: "automatic" | "manual"): Channel {
    const ready = (which: Channel): void => {
      if (which.hasOutput) this.#output.add(which);
      this.#grant(which);
      this.#options.outputReady();
    };
    const full = (): void => this.counts.noteDrop(kind, "full");
    const channel = new Channel({ id, service, class: kind, credit, limits: this.#options.limits, ready, full });
    this.#channels.set(id, channel);
    return channel;
  }

  /** The channel, or undefined if it closed while the frame was in flight. */
  #find(id: ChannelId): Channel | undefined {
    const channel = this.#channels.get(id);
    if (channel !== undefined) return channel;
    const isOwn = id % 2 === this.#nextChannel % 2;
    if (id !== LINK_CHANNEL && (isOwn ? id < this.#nextChannel : id <= this.#lastOpened)) return undefined;
    throw new LinkFrameError({ detail: `frame on channel ${id}, which was never opened` });
  }

  #forget(channel: Channel): void {
    channel.end();
    this.#output.remove(channel);
    this.#channels.delete(channel.id);
  }

  #closeFrame(channel: Channel): Uint8Array {
    const { code, reason } = channel.closing ?? { code: "done", reason: "" };
    this.#forget(channel);
    return closeFrame(channel.id, code, reason);
  }

  #messageSent(channel: Channel): void {
    this.counts.messagesOut++;
    if (channel.takeDrained()) this.#events.push({ type: "drained", channel });
  }

  #grant(channel: Channel): void {
    const grant = channel.takeGrant();
    if (grant === 0) return;
    this.#output.urgent(encodeFrame(FRAME_TYPE.credit, channel.id, new ByteWriter(4).u32(grant).finish()));
  }
}

const MOST_REASON_BYTES = 512;

/** u8 code, then the reason as UTF-8. */
function closeFrame(id: ChannelId, code: keyof typeof CLOSE_CODES, reason: string): Uint8Array {
  const payload = new ByteWriter(32)
    .u8(CLOSE_CODES[code])
    .bytes(cut(encodeUtf8(reason)))
    .finish();
  return encodeFrame(FRAME_TYPE.close, id, payload);
}

function cut(bytes: Uint8Array): Uint8Array {
  return bytes.length > MOST_REASON_BYTES ? bytes.subarray(0, MOST_REASON_BYTES) : bytes;
}

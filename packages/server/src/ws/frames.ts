/** Messages of `sluice.v1` as whole WebSocket frames; what an object gives to many is encoded once for each encoding. */
import { encodeJsonMessage, encodeMessagePackMessage } from "@sluice/client/contract/codec";
import type { Encoding, ServerMessage } from "@sluice/client/contract/sluice-v1";
import type { Change } from "@sluice/state/change";
import type { Delivery } from "@sluice/state/object-copy";
import type { Snapshot } from "@sluice/state/object-state";
import { frameOf } from "../sessions/web-socket-form.ts";
import { deliveryMessage } from "./object-messages.ts";

/** FIN and opcode 1, text. RFC 6455 §5.2 */
const FINAL_TEXT = 0x81;

export function encodeFrame(message: ServerMessage, encoding: Encoding): Uint8Array {
  if (encoding === "msgpack") return frameOf(encodeMessagePackMessage(message));
  const frame = frameOf(Buffer.from(encodeJsonMessage(message)));
  frame[0] = FINAL_TEXT;
  return frame;
}

/** Encoded deliveries that are kept, of all objects: as many as clients that keep up are behind each other. */
export const DELIVERY_FRAME_BYTES = 4 * 1024 * 1024;

interface Encoded {
  /** Of a snapshot: what its frames say was dropped. */
  readonly dropped: number | undefined;
  readonly frames: Map<Encoding, Uint8Array>;
}

/** The frames of recent deliveries of all objects, in a bounded number of bytes. */
export class DeliveryFrames {
  readonly #limitBytes: number;
  /** Oldest first. */
  readonly #encoded = new Map<Change | Snapshot, Encoded>();
  #byteSize = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get byteSize(): number {
    return this.#byteSize;
  }

  /** The same bytes for all who are given the same. */
  frameOf(object: string, delivery: Delivery, encoding: Encoding): Uint8Array {
    const isChange = delivery.type === "change";
    const key = isChange ? delivery.change : delivery.snapshot;
    const dropped = isChange ? undefined : delivery.droppedMessages;
    const known = this.#encoded.get(key);
    const found = known?.dropped === dropped ? known?.frames.get(encoding) : undefined;
    if (found !== undefined) return found;
    const frame = encodeFrame(deliveryMessage(object, delivery), encoding);
    if (known === undefined) this.#encoded.set(key, { dropped, frames: new Map([[encoding, frame]]) });
    else if (known.dropped === dropped) known.frames.set(encoding, frame);
    else return frame;
    this.#byteSize += frame.length;
    this.#forget();
    return frame;
  }

  #forget(): void {
    for (const [key, { frames }] of this.#encoded) {
      if (this.#byteSize <= this.#limitBytes) return;
      this.#encoded.delete(key);
      for (const frame of frames.values()) this.#byteSize -= frame.length;
    }
  }
}

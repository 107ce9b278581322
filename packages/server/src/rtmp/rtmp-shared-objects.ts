/** The shared objects of one RTMP session: opens and closes them, and tells the peer no more than it takes. */
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import type { EncodedSharedObject, SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";
import type { Refusal } from "@sluice/state/change";
import { ObjectClient } from "@sluice/state/object-client";
import { type Plain, toPlain } from "@sluice/state/plain-data";
import { TokenBucket } from "@sluice/state/token-bucket";
import { OBJECT_SESSION_LIMITS } from "../sessions/limits.ts";
import { echoFor, encodedIfSmall, messageOf, openingCode, statusEvent } from "./rtmp-object-events.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";
import { readRequest } from "./rtmp-request.ts";
import { RtmpSharedObject } from "./rtmp-shared-object.ts";

/** An object that the peer uses. */
interface Used {
  readonly name: string;
  readonly isPersistent: boolean;
  readonly client: ObjectClient;
  /** Once it is open. */
  object: RtmpSharedObject | undefined;
  /** Writes that came before. */
  readonly early: SharedObjectEvent[];
}

const WRITES: ReadonlySet<SharedObjectEvent["type"]> = new Set([
  "request-change",
  "request-remove",
  "request-clear",
  "send-message",
] satisfies SharedObjectEvent["type"][]);

const DURABLE = { type: "each" } as const;
const TEMPORARY = { type: "temporary" } as const;

export class RtmpSharedObjects {
  readonly #peer: RtmpPeer;
  readonly #who: Plain;
  /** By the name that the peer gave. */
  readonly #used = new Map<string, Used>();
  /** There may be something to tell of them. */
  readonly #awake = new Set<Used>();
  readonly #openings: TokenBucket;
  #isFlushDue = false;

  constructor(peer: RtmpPeer) {
    this.#peer = peer;
    this.#openings = new TokenBucket(peer.settings.ports.clock, OBJECT_SESSION_LIMITS.openingsPerSecond);
    const { id: session, address, protocol } = peer;
    this.#who = toPlain({ session, address, protocol }, "who", WHO_BYTES);
  }

  get count(): number {
    return this.#used.size;
  }

  /** Events in their order; each refusal is told once for a message. */
  take(message: SharedObjectMessage, connect: ConnectRequest): void {
    const codes = new Set<string>();
    for (const event of message.events) {
      const code = this.#takeEvent(event, message, connect);
      if (code !== undefined) codes.add(code);
    }
    if (codes.size > 0) this.#refuse(message, [...codes]);
  }

  /** The session ends. */
  close(): void {
    for (const { client } of this.#used.values()) client[Symbol.dispose]();
    this.#used.clear();
    this.#awake.clear();
  }

  /** @returns the code of a refusal */
  #takeEvent(event: SharedObjectEvent, message: SharedObjectMessage, connect: ConnectRequest): string | undefined {
    const used = this.#used.get(message.name);
    if (event.type === "use") return this.#use(message, connect, used);
    if (event.type === "release") {
      if (used !== undefined) this.#forget(used);
      return undefined;
    }
    if (!WRITES.has(event.type)) return undefined;
    if (used?.object !== undefined) used.object.write(event);
    else if (used === undefined || used.early.length >= OBJECT_SESSION_LIMITS.earlyWrites) return "NoWriteAccess";
    else used.early.push(event);
    return undefined;
  }

  #use(message: SharedObjectMessage, connect: ConnectRequest, before: Used | undefined): string | undefined {
    const { name, isPersistent } = message;
    if (before !== undefined && before.isPersistent !== isPersistent) return "BadPersistence";
    const { key } = readRequest(this.#peer, connect, name);
    if (key === undefined) return "UriMismatch";
    if (before === undefined && this.#used.size >= OBJECT_SESSION_LIMITS.objectsPerConnection)
      return "ObjectCreationFailed";
    if (!this.#openings.take()) return "ObjectCreationFailed";
    if (before !== undefined) this.#forget(before); // asked for again: it is told everything anew
    const { objects } = this.#peer.settings.ports;
    const opened = objects.connect(key, {
      client: objects.nextClientId(),
      who: this.#who,
      durability: isPersistent ? DURABLE : TEMPORARY,
      ready: () => this.#wake(used),
    });
    if (!(opened instanceof ObjectClient)) return openingCode(opened);
    const used: Used = { name, isPersistent, client: opened, object: undefined, early: [] };
    this.#used.set(name, used);
    const state = () => objects.find(key)?.copy.state;
    void opened.connected.then((outcome) => {
      this.#attempt(() => {
        if (this.#used.get(name) !== used) return;
        if (outcome.type === "refused") return this.#refuseOpening(message, used, outcome);
        const { objectForms: forms, ports } = this.#peer.settings;
        const wake = () => this.#wake(used);
        const form = { name, isPersistent, encoding: message.encoding };
        const of = { form, echo: echoFor(connect), forms, client: opened, clock: ports.clock };
        used.object = new RtmpSharedObject({ ...of, state, wake });
        this.#awake.add(used);
        this.#flush(); // what stands, before what is written to it
        for (const event of used.early.splice(0)) used.object.write(event);
      });
    });
    return undefined;
  }

  #refuseOpening(message: SharedObjectMessage, used: Used, refused: Refusal): void {
    this.#forget(used);
    this.#refuse(message, [openingCode(refused), ...(used.early.length > 0 ? ["NoWriteAccess"] : [])]);
    this.#peer.sendOutput();
  }

  #refuse(message: SharedObjectMessage, codes: readonly string[]): void {
    this.#peer.engine.sendSharedObject(messageOf(message, 0, codes.map(statusEvent)));
  }

  #forget(used: Used): void {
    this.#used.delete(used.name);
    this.#awake.delete(used);
    used.client[Symbol.dispose]();
  }

  /** Told behind all that happens in this turn of the loop. */
  #wake(used: Used): void {
    if (this.#used.get(used.name) !== used) return;
    this.#awake.add(used);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    void Promise.resolve().then(() => this.#attempt(() => this.#flush()));
  }

  #flush(): void {
    this.#isFlushDue = false;
    const { transport } = this.#peer;
    for (const used of this.#awake) {
      for (;;) {
        if (transport.output.isBehind) return this.#flushWhenTaken();
        const told = used.object?.next();
        if (told === undefined) break;
        this.#tell(told);
      }
      this.#awake.delete(used);
    }
  }

  /** What makes a large message of a small object (a text that is referred to again and again, say) is told in parts. */
  #tell(message: SharedObjectMessage | EncodedSharedObject): void {
    const { engine, settings } = this.#peer;
    const told = "body" in message ? message : encodedIfSmall(message);
    if (told !== undefined) {
      engine.sendSharedObject(told);
      return this.#peer.sendOutput();
    }
    const { events } = message as SharedObjectMessage;
    if (events.length < 2) {
      const { meter } = settings.ports;
      return meter
        .counter("object_values_untold_total", "Values that are too large for messages to RTMP clients")
        .add();
    }
    const middle = events.length >> 1;
    for (const part of [events.slice(0, middle), events.slice(middle)])
      this.#tell({ ...(message as SharedObjectMessage), events: part });
  }

  /** A peer that never reads has nothing waiting here: who takes late is given less. */
  #flushWhenTaken(): void {
    this.#isFlushDue = true;
    this.#peer.transport.output.whenTaken(() => this.#attempt(() => this.#flush()));
  }

  #attempt(work: () => void): void {
    if (this.#peer.signal.aborted) return;
    try {
      work();
    } catch (error) {
      this.#peer.settings.ports.log.error({ session: this.#peer.id, err: error }, "Shared objects failed");
      this.#peer.end("fault");
    }
  }
}

/** Of what guards are asked about. */
const WHO_BYTES = 1_024;

/** Clients of one shared object over RTMP: our own engine, and the npm package rtmp-client. */
import { join } from "node:path";
import type { AmfValue } from "@sluice/amf/value";
import type { SharedObjectEvent } from "@sluice/rtmp/shared-object-message";
import { type Child, startChild } from "@sluice/testkit/child";
import { until } from "@sluice/testkit/until";
import { connectPeer, type RtmpPeer } from "./rtmp-peer.ts";
import type { Server } from "./server.ts";

/** A player whose servers answer its changes with values. */
const FLASH_VER = "WIN 32,0,0,465";

export interface ObjectClientOptions {
  readonly app?: string;
  readonly name?: string;
  readonly isPersistent?: boolean;
}

type Form = Required<ObjectClientOptions>;

export class OwnObjectClient implements AsyncDisposable {
  readonly peer: RtmpPeer;
  readonly #form: Form;
  /** Statuses heard when it last asked, and one. */
  #asked = 0;

  private constructor(peer: RtmpPeer, form: Form) {
    this.peer = peer;
    this.#form = form;
  }

  /** Resolves once the object is open. */
  static async open(server: Server, options: ObjectClientOptions = {}): Promise<OwnObjectClient> {
    const form = { app: "ball", name: "position", isPersistent: false, ...options };
    const peer = await connectPeer({ port: server.port("rtmp"), app: form.app, connect: { flashVer: FLASH_VER } });
    const client = new OwnObjectClient(peer, form);
    await until(`${form.app}/${form.name} to be open; heard ${client.codes.join(", ")}`, () => {
      if (client.#has("use-success")) return true;
      if (client.codes.length === client.#asked) client.#ask({ type: "use" }); // refused, or not asked yet
      return undefined;
    });
    return client;
  }

  set(name: string, value: AmfValue): void {
    this.#ask({ type: "request-change", properties: [[name, value]] });
  }

  /** What it has after all that it heard. */
  get copy(): Readonly<Record<string, AmfValue>> {
    const copy = new Map<string, AmfValue>();
    for (const event of this.events) {
      if (event.type === "clear") copy.clear();
      else if (event.type === "remove") for (const name of event.names) copy.delete(name);
      else if (event.type === "change" || event.type === "change-echo")
        for (const [name, value] of event.properties) copy.set(name, value);
    }
    return Object.fromEntries(copy);
  }

  get events(): SharedObjectEvent[] {
    const { name } = this.#form;
    return this.peer.events.flatMap((event) =>
      event.type === "shared-object" && event.message.name === name ? event.message.events : [],
    );
  }

  /** Of each status, in order. */
  get codes(): string[] {
    return this.events.flatMap((event) => (event.type === "status" ? [event.code] : []));
  }

  /** Values of a property that it set and that the server took, in order. */
  acknowledged(property: string): AmfValue[] {
    return this.events.flatMap((event) =>
      event.type === "change-echo"
        ? event.properties.flatMap(([name, value]) => (name === property ? [value] : []))
        : [],
    );
  }

  has(copy: Readonly<Record<string, AmfValue>>, waitMillis?: number): Promise<true> {
    const wanted = JSON.stringify(sorted(copy));
    return until(
      `${wanted} in ${JSON.stringify(this.copy)}`,
      () => (JSON.stringify(sorted(this.copy)) === wanted ? true : undefined),
      waitMillis,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }

  #has(type: SharedObjectEvent["type"]): boolean {
    return this.events.some((event) => event.type === type);
  }

  #ask(event: SharedObjectEvent): void {
    const { name, isPersistent } = this.#form;
    if (event.type === "use") this.#asked = this.codes.length + 1;
    this.peer.engine.sendSharedObject({ encoding: "amf0", name, version: 0, isPersistent, events: [event] });
    this.peer.flush();
  }
}

/** `rtmp-client` of npm, in a process of its own. */
export class NpmObjectClient implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async open(
    server: Server,
    { app = "ball", name = "position" }: ObjectClientOptions = {},
  ): Promise<NpmObjectClient> {
    const main = join(import.meta.dirname, "rtmp-client-main.ts");
    const client = new NpmObjectClient(startChild([process.execPath, main, server.rtmp(app), name]));
    await client.#child.waitForEvent("sync");
    return client;
  }

  set(name: string, value: number | string): void {
    this.#child.write(`${JSON.stringify([name, value])}\n`);
  }

  get copy(): Readonly<Record<string, unknown>> {
    const last = this.#child
      .output("stdout")
      .split("\n")
      .findLast((line) => line.includes('"sync"'));
    return last === undefined ? {} : (JSON.parse(last) as { readonly copy: Record<string, unknown> }).copy;
  }

  has(copy: Readonly<Record<string, AmfValue>>): Promise<true> {
    const wanted = JSON.stringify(sorted(copy));
    return until(`${wanted} in ${JSON.stringify(this.copy)}`, () =>
      JSON.stringify(sorted(this.copy)) === wanted ? true : undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

function sorted(copy: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(copy).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

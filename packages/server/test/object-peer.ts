/** An RTMP client of shared objects, as tests see it: what it asks for, and what it hears, object by object. */
import type { ConnectOptions } from "@sluice/rtmp/client-engine";
import type { SharedObjectEvent, SharedObjectMessage, SharedObjectProperty } from "@sluice/rtmp/shared-object-message";
import { until } from "@sluice/testkit/until";
import { RtmpPeer } from "./sessions-fixture.ts";

type Form = Partial<Pick<SharedObjectMessage, "encoding" | "isPersistent">>;

/** A player whose servers answer with values; without it a writer hears names alone. */
export const LATER_PLAYER = { flashVer: "WIN 32,0,0,465" };

export class ObjectPeer extends RtmpPeer {
  static async open(port: number, options: Partial<ConnectOptions> = {}): Promise<ObjectPeer> {
    const peer = new ObjectPeer(port, options);
    await until("the connection", () => peer.engine.phase === "connected");
    return peer;
  }

  ask(name: string, events: readonly SharedObjectEvent[], form: Form = {}): void {
    this.engine.sendSharedObject({ encoding: "amf0", isPersistent: false, ...form, name, version: 0, events });
    this.flush();
  }

  /** Opens it, and waits for what it holds. */
  async use(name: string, form: Form = {}): Promise<void> {
    const before = this.said(name).length;
    this.ask(name, [{ type: "use" }], form);
    await until(`an answer about ${name}`, () => this.said(name).length > before);
  }

  set(name: string, ...properties: readonly SharedObjectProperty[]): void {
    this.ask(name, [{ type: "request-change", properties }]);
  }

  messages(name: string): SharedObjectMessage[] {
    return this.events.flatMap((event) =>
      event.type === "shared-object" && event.message.name === name ? [event.message] : [],
    );
  }

  /** All events of an object, shortly: `change x=1`, `status NoWriteAccess`. */
  said(name: string): string[] {
    return this.messages(name).flatMap(({ events }) => events.map(wordsOf));
  }

  async heard(name: string, ...words: readonly string[]): Promise<void> {
    const all = (): boolean => words.every((one) => this.said(name).includes(one));
    await until(`${words.join(", ")} in ${this.said(name).join(", ")}`, all);
  }

  /** What a client that follows all that it hears has in its copy. */
  copy(name: string): Record<string, unknown> {
    const copy = new Map<string, unknown>();
    for (const event of this.messages(name).flatMap(({ events }) => events)) {
      if (event.type === "clear") copy.clear();
      else if (event.type === "remove") for (const gone of event.names) copy.delete(gone);
      else if (event.type === "change" || event.type === "change-echo")
        for (const [key, value] of event.properties) copy.set(key, value);
    }
    return Object.fromEntries(copy);
  }
}

function wordsOf(event: SharedObjectEvent): string {
  switch (event.type) {
    case "change":
    case "change-echo":
    case "request-change":
      return `${event.type} ${event.properties.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(" ")}`;
    case "success":
    case "remove":
    case "request-remove":
      return `${event.type} ${event.names.join(" ")}`;
    case "send-message":
      return `send ${event.name} ${JSON.stringify(event.args)}`;
    case "status":
      return `status ${event.code.replace("SharedObject.", "")}`;
    default:
      return event.type;
  }
}

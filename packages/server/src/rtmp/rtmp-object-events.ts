/** What becomes of an object, in the words of RTMP: changes, snapshots and refusals as events of shared objects. */
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import {
  type EncodedSharedObject,
  encodeSharedObject,
  type SharedObjectEvent,
  type SharedObjectMessage,
} from "@sluice/rtmp/shared-object-message";
import type { AmfValue } from "@sluice/amf/value";
import { OBJECT_SESSION_LIMITS } from "../sessions/limits.ts";
import type { Change, Operation, Refusal } from "@sluice/state/change";

/** How a client that opened an object names it, and how it wants to be answered. */
export type ObjectForm = Pick<SharedObjectMessage, "name" | "encoding" | "isPersistent">;

/** What a writer hears of its own change: names alone, or with values, as later clients expect who take the value from there. */
export type Echo = "success" | "change-echo";

/** The first player whose servers are known to have answered with values. */
const FIRST_WITH_VALUES = 10;

export function echoFor({ flashVer }: Pick<ConnectRequest, "flashVer">): Echo {
  const [, major = "0"] = /^[A-Z]{3} (\d+),/.exec(flashVer) ?? [];
  return Number(major) >= FIRST_WITH_VALUES ? "change-echo" : "success";
}

/** One property for each event: some clients read the first of several. Without a value it is removed. */
export function propertyEvent(type: "change" | "change-echo", name: string, value: AmfValue): SharedObjectEvent {
  return value === null || value === undefined
    ? { type: "remove", names: [name] }
    : { type, properties: [[name, value]] };
}

/** For all who did not cause it. */
export function eventsOf({ operations }: Change): SharedObjectEvent[] {
  return operations.flatMap((operation) => eventOf(operation) ?? []);
}

/** For the writer. */
export function ownEventsOf({ operations }: Change, echo: Echo): SharedObjectEvent[] {
  return operations.flatMap((operation) => {
    const { type } = operation;
    if (type !== "set" && type !== "remove") return eventOf(operation) ?? [];
    if (echo === "success") return { type: "success", names: [operation.name] };
    return propertyEvent("change-echo", operation.name, type === "set" ? operation.plain.value : null);
  });
}

/** Everything anew. */
export function wholeEvents(
  properties: ReadonlyMap<string, { readonly plain: { readonly value: AmfValue } }>,
): SharedObjectEvent[] {
  const changes = [...properties].map(([name, { plain }]) => propertyEvent("change", name, plain.value));
  return [{ type: "clear" }, ...changes.filter(({ type }) => type === "change")];
}

export function statusEvent(code: string): SharedObjectEvent {
  return { type: "status", code: `SharedObject.${code}`, level: "error" };
}

/** Why an object is not opened, by the codes of Adobe's servers. */
export function openingCode({ status, detail }: Refusal): string {
  if (status === "mismatch") return "BadPersistence";
  return status === "denied" && detail === "read" ? "NoReadAccess" : "ObjectCreationFailed";
}

/** Bodies of changes, encoded once for all who open the object under one name and in one form. */
export class ObjectForms {
  readonly #bodies = new WeakMap<Change, Map<string, EncodedSharedObject | SharedObjectMessage | undefined>>();

  /** Undefined where RTMP has nothing to say of it; a message that is too large for one body is not encoded. */
  of(change: Change, form: ObjectForm): EncodedSharedObject | SharedObjectMessage | undefined {
    let bodies = this.#bodies.get(change);
    if (bodies === undefined) this.#bodies.set(change, (bodies = new Map()));
    const key = `${form.encoding} ${form.isPersistent} ${form.name}`;
    if (!bodies.has(key)) bodies.set(key, encode(change, form));
    return bodies.get(key);
  }
}

/** Of the version, the 32 bits that RTMP has room for. */
export function messageOf(
  form: ObjectForm,
  version: number,
  events: readonly SharedObjectEvent[],
): SharedObjectMessage {
  const { name, encoding, isPersistent } = form;
  return { name, encoding, isPersistent, version: version >>> 0, events };
}

/** Undefined for a message that has to be told in parts. */
export function encodedIfSmall(message: SharedObjectMessage): EncodedSharedObject | undefined {
  const body = encodeSharedObject(message);
  return body.length > OBJECT_SESSION_LIMITS.messageBytes ? undefined : { encoding: message.encoding, body };
}

function encode(change: Change, form: ObjectForm): EncodedSharedObject | SharedObjectMessage | undefined {
  const events = eventsOf(change);
  if (events.length === 0) return undefined;
  const message = messageOf(form, change.to.version, events);
  return encodedIfSmall(message) ?? message;
}

function eventOf(operation: Operation): SharedObjectEvent | undefined {
  switch (operation.type) {
    case "set":
      return propertyEvent("change", operation.name, operation.plain.value);
    case "remove":
      return { type: "remove", names: [operation.name] };
    case "clear":
      return { type: "clear" };
    case "message":
      return { type: "send-message", name: operation.name, args: operation.plain.value as readonly AmfValue[] };
    default:
      return undefined; // RTMP has no locks
  }
}

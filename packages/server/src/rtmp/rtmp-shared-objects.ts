/** What an RTMP session answers on shared objects while this server has none: a status to each that is asked for. */
import type { SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";

type EventType = SharedObjectEvent["type"];

/** Flash-era clients tell their scripts of the code; none of them takes it for the end of the connection. */
const NOT_CREATED = "SharedObject.ObjectCreationFailed";
const NOT_WRITTEN = "SharedObject.NoWriteAccess";

const WRITES: ReadonlySet<EventType> = new Set([
  "request-change",
  "request-remove",
  "request-clear",
  "send-message",
] satisfies EventType[]);

/** At most one status each for opening and for writing, however many events ask; `undefined` when nothing was asked. */
export function refuseSharedObject(message: SharedObjectMessage): SharedObjectMessage | undefined {
  const types = message.events.map(({ type }) => type);
  const codes: string[] = [];
  if (types.includes("use")) codes.push(NOT_CREATED);
  if (types.some((type) => WRITES.has(type))) codes.push(NOT_WRITTEN);
  if (codes.length === 0) return undefined;
  return { ...message, version: 0, events: codes.map((code) => ({ type: "status", code, level: "error" })) };
}

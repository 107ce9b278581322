/** What objects say, in the words of `sluice.v1`: deliveries, outcomes, durability. */
import type {
  Answer,
  ChangeMessage,
  CurrentProperty,
  Durability as DurabilityWord,
  Operation as OperationMessage,
  RefusalCode,
  SnapshotMessage,
} from "@sluice/client/contract/sluice-v1";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import type { Millis } from "@sluice/base/brand";
import type { Change, CurrentProperty as Current, Durability, Operation, Outcome, Refusal } from "@sluice/state/change";
import type { Delivery } from "@sluice/state/object-copy";
import type { Snapshot } from "@sluice/state/object-state";
import type { Plain } from "@sluice/state/plain-data";
import { formatPosition } from "@sluice/state/position";
import { plainOfAmf } from "./plain-of-amf.ts";

export function deliveryMessage(object: string, delivery: Delivery): ChangeMessage | SnapshotMessage {
  return delivery.type === "change"
    ? changeMessage(object, delivery.change)
    : snapshotMessage(object, delivery.snapshot, delivery.droppedMessages);
}

export function outcomeAnswer(id: number, outcome: Outcome): Answer {
  if (outcome.type === "refused") return refusalAnswer(id, outcome);
  return { type: "answer", id, status: "success", at: formatPosition(outcome.at) };
}

export function refusalAnswer(id: number, { status, detail, current }: Refusal): Answer {
  const code: RefusalCode = status === "not-connected" ? "not-open" : status;
  const refused = { type: "answer", id, status: "refused", code, detail } as const;
  return current.length === 0 ? refused : { ...refused, current: current.map(currentProperty) };
}

export function durabilityOf(word: DurabilityWord): Durability {
  return typeof word === "string" ? { type: word } : { type: "every", interval: word.every as Millis };
}

function durabilityWord(durability: Durability): DurabilityWord {
  return durability.type === "every" ? { every: durability.interval } : durability.type;
}

function changeMessage(object: string, { from, to, operations, by, droppedMessages }: Change): ChangeMessage {
  return {
    type: "change",
    object,
    from: formatPosition(from),
    to: formatPosition(to),
    operations: operations.map(operationMessage),
    ...(by !== undefined && { by: { client: by.client, id: by.sequence } }),
    ...(droppedMessages > 0 && { dropped: droppedMessages }),
  };
}

function operationMessage(operation: Operation): OperationMessage {
  switch (operation.type) {
    case "create":
      return { type: "create", durability: durabilityWord(operation.durability) };
    case "set": {
      const { name, plain, version } = operation;
      return { type: "set", name, value: plainOfAmf(plain.value), ...(version !== undefined && { version }) };
    }
    case "message":
      return { type: "message", name: operation.name, arguments: argumentsOf(operation.plain) };
    case "lock":
      return { type: "lock", owner: operation.owner, lease: operation.lease };
    default:
      return operation;
  }
}

function argumentsOf({ value }: Plain): readonly PlainValue[] {
  const args = plainOfAmf(value);
  return Array.isArray(args) ? (args as readonly PlainValue[]) : [args];
}

function snapshotMessage(object: string, snapshot: Snapshot, dropped: number | undefined): SnapshotMessage {
  const { at, durability, lock, properties } = snapshot;
  return {
    type: "snapshot",
    object,
    at: formatPosition(at),
    ...(durability !== undefined && { durability: durabilityWord(durability) }),
    ...(lock !== undefined && { lock: { owner: lock.owner, lease: lock.lease } }),
    properties: [...properties].map(([name, property]) => ({
      name,
      value: plainOfAmf(property.plain.value),
      at: formatPosition(property.at),
    })),
    dropped: dropped ?? null,
  };
}

function currentProperty({ name, plain, at }: Current): CurrentProperty {
  return plain === undefined ? { name, at: null } : { name, value: plainOfAmf(plain.value), at: formatPosition(at) };
}

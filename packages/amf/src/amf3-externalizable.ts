/** Flex classes that write their own bytes inside AMF3: collections, proxies and the small forms of messages. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import { AmfMarkerError } from "./errors.ts";
import type { AmfBudget } from "./limits.ts";
import type { AmfObject, AmfValue } from "./value.ts";

/**
 * One step of a message's class: bytes of flags, each with its top bit set when another follows, then the values of
 * the flags that are set. The names stand at the place of their bit; every class of the line adds a step.
 */
type Step = readonly (readonly string[])[];

type Layout =
  /** One value. */
  | { readonly is: "value"; readonly name: string }
  /** Count in 32 bits, then as many names and values. */
  | { readonly is: "entries" }
  | { readonly is: "message"; readonly steps: readonly Step[] };

const ABSTRACT_MESSAGE: Step = [
  ["body", "clientId", "destination", "headers", "messageId", "timestamp", "timeToLive"],
  ["clientIdBytes", "messageIdBytes"],
];
const ASYNC_MESSAGE: Step = [["correlationId", "correlationIdBytes"]];
const COMMAND_MESSAGE: Step = [["operation"]];
const ACKNOWLEDGE_MESSAGE: Step = [[]];

const ASYNC: Layout = { is: "message", steps: [ABSTRACT_MESSAGE, ASYNC_MESSAGE] };
const COMMAND: Layout = { is: "message", steps: [ABSTRACT_MESSAGE, ASYNC_MESSAGE, COMMAND_MESSAGE] };
const ACKNOWLEDGE: Layout = { is: "message", steps: [ABSTRACT_MESSAGE, ASYNC_MESSAGE, ACKNOWLEDGE_MESSAGE] };

const LAYOUTS: ReadonlyMap<string, Layout> = new Map<string, Layout>([
  ["flex.messaging.io.ArrayCollection", { is: "value", name: "source" }],
  ["flex.messaging.io.ArrayList", { is: "value", name: "source" }],
  ["flex.messaging.io.ObjectProxy", { is: "value", name: "object" }],
  ["flex.messaging.io.ManagedObjectProxy", { is: "entries" }],
  ["DSA", ASYNC],
  ["DSC", COMMAND],
  ["DSK", ACKNOWLEDGE],
  ["flex.messaging.messages.AsyncMessageExt", ASYNC],
  ["flex.messaging.messages.CommandMessageExt", COMMAND],
  ["flex.messaging.messages.AcknowledgeMessageExt", ACKNOWLEDGE],
]);

const MORE_FLAGS = 0x80;
/** Bits below this one announce a value each, also where the class of today has no name for it. */
const ANNOUNCING_BITS = 6;

export interface ExternalSource {
  readonly reader: ByteReader;
  readonly budget: AmfBudget;
  /** Reads on in the same message, with its reference tables. */
  readonly values: { readValue(): AmfValue };
}

export interface ExternalTarget {
  readonly writer: ByteWriter;
  readonly values: { writeValue(value: AmfValue): void };
}

export function isKnownExternalizable(className: string): boolean {
  return LAYOUTS.has(className);
}

/**
 * Fills `properties` with what the class wrote. What newer versions of a message announce is read and left out.
 *
 * @param className  one that is known
 * @throws {WireError | LimitError}
 */
export function readExternal(className: string, properties: AmfObject, source: ExternalSource): void {
  const into = properties as Record<string, AmfValue>;
  const layout = LAYOUTS.get(className) as Layout;
  if (layout.is === "value") into[layout.name] = source.values.readValue();
  else if (layout.is === "entries") readEntries(into, source);
  else for (const step of layout.steps) readStep(step, into, source);
}

/**
 * The same back to bytes; of a message, the flags say which properties there are.
 *
 * @throws {TypeError}  a property that the class does not have
 */
export function writeExternal(className: string, properties: AmfObject, target: ExternalTarget): void {
  const layout = LAYOUTS.get(className) as Layout;
  const names = namesOf(layout);
  const stray = Object.keys(properties).find((name) => names !== "any" && !names.includes(name));
  if (stray !== undefined) throw new TypeError(`Cannot encode "${className}": it has no property "${stray}"`);
  if (layout.is === "value") target.values.writeValue(properties[layout.name]);
  else if (layout.is === "entries") writeEntries(properties, target);
  else for (const step of layout.steps) writeStep(step, properties, target);
}

function namesOf(layout: Layout): readonly string[] | "any" {
  if (layout.is === "entries") return "any";
  return layout.is === "value" ? [layout.name] : layout.steps.flat(2);
}

function readEntries(into: Record<string, AmfValue>, { reader, budget, values }: ExternalSource): void {
  const count = reader.u32();
  budget.expectProperties(count);
  for (let i = 0; i < count; i++) {
    const { offset } = reader;
    const marker = reader.peekU8();
    const name = values.readValue();
    if (typeof name !== "string") throw new AmfMarkerError({ encoding: "amf3", marker: marker ?? -1, offset });
    into[name] = values.readValue();
  }
}

function writeEntries(properties: AmfObject, { writer, values }: ExternalTarget): void {
  const names = Object.keys(properties);
  writer.u32(names.length);
  for (const name of names) {
    values.writeValue(name);
    values.writeValue(properties[name]);
  }
}

function readStep(step: Step, into: Record<string, AmfValue>, { reader, values }: ExternalSource): void {
  const flags: number[] = [];
  do flags.push(reader.u8());
  while (((flags.at(-1) as number) & MORE_FLAGS) !== 0);
  for (const [i, byte] of flags.entries()) {
    const names = step[i] ?? [];
    for (let bit = 0; bit < Math.max(names.length, ANNOUNCING_BITS); bit++) {
      if ((byte & (1 << bit)) === 0) continue;
      const value = values.readValue();
      const name = names[bit];
      if (name !== undefined) into[name] = value;
    }
  }
}

function writeStep(step: Step, properties: AmfObject, { writer, values }: ExternalTarget): void {
  const present = step.map((names) => names.map((name) => Object.hasOwn(properties, name)));
  const lastByte = Math.max(
    0,
    present.findLastIndex((bits) => bits.includes(true)),
  );
  for (const [i, bits] of present.slice(0, lastByte + 1).entries()) {
    const byte = bits.reduce((flags, isPresent, bit) => (isPresent ? flags | (1 << bit) : flags), 0);
    writer.u8(i < lastByte ? byte | MORE_FLAGS : byte);
  }
  for (const name of step.flat()) if (Object.hasOwn(properties, name)) values.writeValue(properties[name]);
}

/** Values of objects, which are AMF's, as plain data of `sluice.v1`; what that has no word for becomes what is nearest. */
import { AmfDictionary, type AmfValue, AmfVector, entriesOf, XmlDocument } from "@sluice/amf/value";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import type { PlainObject, PlainValue } from "@sluice/client/contract/plain-value";

/** Of a value without cycles; what is deeper than a client must read is null. */
export function plainOfAmf(value: AmfValue, depth = SLUICE_V1_LIMITS.depth): PlainValue {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (value instanceof XmlDocument) return value.text;
  if (depth === 0) return null;
  if (value instanceof AmfVector) return plainList(value.items, depth);
  if (value instanceof AmfDictionary) return plainList(value.pairs, depth);
  const entries = entriesOf(value);
  return entries === undefined ? plainList(value as readonly AmfValue[], depth) : plainEntries(entries, depth);
}

function plainList(list: readonly AmfValue[], depth: number): PlainValue[] {
  return list.map((one) => plainOfAmf(one, depth - 1));
}

function plainEntries(entries: Readonly<Record<string, AmfValue>>, depth: number): PlainObject {
  const plain = Object.create(null) as Record<string, PlainValue>;
  for (const [name, entry] of Object.entries(entries)) plain[name] = plainOfAmf(entry, depth - 1);
  return plain;
}

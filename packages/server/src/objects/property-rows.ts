/** Properties of shared objects as JSON, in the words of `sluice.v1`, and back. */
import type { PropertyRow } from "@sluice/client/admin-objects";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import { type Json, tagValue, untagValue } from "@sluice/client/contract/tagged-json";
import { NotPlainDataError } from "@sluice/state/errors";
import type { Property } from "@sluice/state/object-state";
import { formatPosition, ORIGIN, type Position } from "@sluice/state/position";

export function propertyRow(name: string, { plain, at }: Property): PropertyRow {
  return {
    name,
    value: tagValue(plain.value as never, SLUICE_V1_LIMITS.depth),
    at: formatPosition(at),
    bytes: plain.bytes.length,
  };
}

/** @throws {NotPlainDataError} */
export function valueIn(name: string, json: unknown): unknown {
  return untagValue(json as Json, SLUICE_V1_LIMITS.depth, name, (path, what) => {
    throw new NotPlainDataError({ path, what });
  });
}

const FORM = /^(\d{1,15})\.(\d{1,15})\/(\d{1,15})$/;

/** `none`: the property must not exist. @throws {NotPlainDataError} for what is no position */
export function positionIn(text: string): Position {
  if (text === "none") return ORIGIN;
  const [, generation, number, version] = FORM.exec(text) ?? [];
  if (version === undefined) throw new NotPlainDataError({ path: "at", what: "no position as EPOCH/VERSION" });
  return { epoch: { generation: Number(generation), number: Number(number) }, version: Number(version) };
}

/** How JSON schemas of the admin API are written, and how the compiler compares them with the contract's types. */
import type {
  EngineMemberRow,
  LinkRow,
  NodeRow,
  OwnNodeRow,
  SessionRow,
  StreamRow,
  TestPatternRow,
} from "@sluice/client/admin-contract";
import type { ObjectRow, PropertyRow } from "@sluice/client/admin-objects";

/** Schemas that others point at by `$ref`; each is registered under its name. */
export interface NamedRows {
  readonly "StreamRow#": StreamRow;
  readonly "SessionRow#": SessionRow;
  readonly "NodeRow#": NodeRow;
  readonly "OwnNodeRow#": OwnNodeRow;
  readonly "LinkRow#": LinkRow;
  readonly "EngineMemberRow#": EngineMemberRow;
  readonly "TestPatternRow#": TestPatternRow;
  readonly "ObjectRow#": ObjectRow;
  readonly "PropertyRow#": PropertyRow;
}

/** The TypeScript type of the values a schema describes. Every property of an object is required. */
export type FromSchema<S> = S extends { readonly $ref: infer Ref }
  ? Ref extends keyof NamedRows
    ? NamedRows[Ref]
    : never
  : S extends { readonly $comment: "any JSON" }
    ? unknown
    : S extends { readonly const: infer Value }
      ? Value
      : S extends { readonly enum: readonly (infer Value)[] }
        ? Value
        : S extends { readonly anyOf: readonly (infer Choice)[] }
          ? FromSchema<Choice>
          : FromTyped<S>;

type FromTyped<S> = S extends { readonly type: "object"; readonly properties: infer P }
  ? { readonly [K in keyof P]: FromSchema<P[K]> }
  : S extends { readonly type: "object"; readonly additionalProperties: infer Value }
    ? { readonly [name: string]: FromSchema<Value> }
    : S extends { readonly type: "array"; readonly items: infer Item }
      ? readonly FromSchema<Item>[]
      : S extends { readonly type: infer Name }
        ? Name extends keyof Plain
          ? Plain[Name]
          : never
        : never;

interface Plain {
  readonly string: string;
  readonly number: number;
  readonly integer: number;
  readonly boolean: boolean;
  readonly null: null;
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? unknown : Differs<A>) : Differs<A>;
interface Differs<A> {
  readonly "schema and contract differ": A;
}

/** Answers the schema as it is; does not compile when it describes anything but `Contract`. */
export function schemaOf<Contract>() {
  return <const S>(schema: S & Same<FromSchema<S>, Contract>): S => schema;
}

/** An object with exactly these properties, all required. */
export function objectOf<const P extends object>(properties: P) {
  return { type: "object", additionalProperties: false, required: Object.keys(properties), properties } as const;
}

export function arrayOf<const Item extends object>(items: Item) {
  return { type: "array", items } as const;
}

/** `schema` or null. */
export function orNull<const S extends object>(schema: S) {
  return { anyOf: [schema, { type: "null" }] } as const;
}

/** One of these texts. */
export function oneOf<const Value extends string>(values: readonly Value[], description?: string) {
  return { type: "string", enum: values, ...(description && { description }) } as const;
}

export function text(description?: string) {
  return { type: "string", ...(description && { description }) } as const;
}

/** A whole number from 0. */
export function count(description?: string) {
  return { type: "integer", minimum: 0, ...(description && { description }) } as const;
}

/** A number from 0, up to `maximum` where given. */
export function amount(description?: string, maximum?: number) {
  return {
    type: "number",
    minimum: 0,
    ...(maximum !== undefined && { maximum }),
    ...(description && { description }),
  } as const;
}

/** Any JSON. */
export function anyJson(description: string) {
  return { description, $comment: "any JSON" } as const;
}

export function flag(description?: string) {
  return { type: "boolean", ...(description && { description }) } as const;
}

/** A time as ISO 8601. */
export function instant(description?: string) {
  return { type: "string", format: "date-time", ...(description && { description }) } as const;
}

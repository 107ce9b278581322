/** Whether a value, such as another node's answer, is what one of our schemas describes; fields that it does not name are passed over. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
}

/** All named properties must be there. */
export function fits(value: unknown, schema: Schema): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((choice) => fits(value, choice));
  if ("const" in schema) return value === schema.const;
  if (schema.enum !== undefined) return schema.enum.includes(value);
  switch (schema.type) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "null":
      return value === null;
    case "integer":
    case "number":
      return fitsNumber(value, schema);
    case "array":
      return Array.isArray(value) && value.every((item) => fits(item, schema.items ?? {}));
    case "object":
      return typeof value === "object" && value !== null && fitsObject(value as Record<string, unknown>, schema);
    default:
      return true;
  }
}

function fitsNumber(value: unknown, { type, minimum }: Schema): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  return (type === "number" || Number.isInteger(value)) && (minimum === undefined || value >= minimum);
}

function fitsObject(value: Readonly<Record<string, unknown>>, schema: Schema): boolean {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined) return Object.entries(properties).every(([name, inner]) => fits(value[name], inner));
  if (typeof additionalProperties !== "object") return true;
  return Object.values(value).every((inner) => fits(inner, additionalProperties));
}

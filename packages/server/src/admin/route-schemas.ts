/** Schemas of what routes take and answer, around the rows they name. */
import type { Page } from "./admin-source.ts";
import { arrayOf, count, objectOf, text } from "./schema-form.ts";

type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 503;

const REASONS: Readonly<Record<ErrorStatus, string>> = {
  400: "Malformed request",
  401: "A token is needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Refused",
  413: "Body too large",
  415: "Body is not JSON",
  500: "Fault of the server",
  503: "Not available now",
};

/** `ok` by status, and the error answer for what any call may meet and for `errors`. */
export function answers(
  ok: Readonly<Record<number, object>>,
  errors: readonly ErrorStatus[] = [],
): Record<string, object> {
  const refusals = ([400, 401, 403, 500, 503, ...errors] as const).filter((status) => !(status in ok));
  const described = refusals.map((status) => [status, { description: REASONS[status], $ref: "AdminError#" }]);
  return { ...ok, ...Object.fromEntries(described) };
}

/** An object with one list of rows, as `{ streams: StreamRow[] }`. */
export function listOf(name: string, row: `${string}#`): object {
  return { description: `All ${name}`, ...objectOf({ [name]: arrayOf({ $ref: row }) }) };
}

/** The same, of which one page is answered, and how many there are. */
export function pageOf(name: string, row: `${string}#`): object {
  return {
    description: `A page of ${name}`,
    ...objectOf({ [name]: arrayOf({ $ref: row }), total: count(`All ${name}, those of other pages included`) }),
  };
}

/** Parameters of a query arrive as text. */
export const PAGE_IN_QUERY = {
  limit: { type: "string", pattern: "^[1-9][0-9]{0,8}$", description: "Rows wanted; at most, and by default, 1000" },
  offset: { type: "string", pattern: "^[0-9]{1,9}$", description: "Rows to leave out before them" },
} as const;

export interface PageQuery {
  readonly limit?: string;
  readonly offset?: string;
}

export function pageAsked({ limit, offset }: PageQuery, maximum: number): Page {
  return { limit: Math.min(maximum, Number(limit ?? maximum)), offset: Number(offset ?? 0) };
}

export function rowOf(description: string, row: `${string}#`): object {
  return { description, $ref: row };
}

export function nothing(description: string): object {
  return { description, type: "null" };
}

/** A path that ends in a stream key, slashes and all. */
export const KEY_IN_PATH = {
  type: "object",
  required: ["*"],
  properties: { "*": text("StreamKey; its slashes stay slashes") },
} as const;

export const READY = {
  ...objectOf({
    ready: { type: "boolean" },
    reasons: arrayOf(text("Why not; empty for callers who may not see more")),
  }),
};

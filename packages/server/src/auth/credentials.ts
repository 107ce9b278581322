/** The credentials a client sent, read once: guard and hooks see the same values. */

export interface Credentials {
  /** Parameters of the URL by name; of a name that comes again the last value. */
  readonly query: ReadonlyMap<string, string>;
  /** The HTTP header, where there is one. */
  readonly authorization?: string;
  /** Name of a credential that was shown more than once, or with two values: it is not said which of them counts. */
  readonly repeated?: string;
}

/** Query parameter that carries a preview right. */
export const PREVIEW_PARAMETER = "preview";

/** Parameters that open something. */
const NAMES: ReadonlySet<string> = new Set(["token", "sign", "expires", PREVIEW_PARAMETER]);

/**
 * @param queries  of one request, as of connect and of the stream name, later ones winning; the same credential in two
 *   of them must have the same value
 * @param authorization  every header of that name
 */
export function readCredentials(queries: readonly string[], authorization: readonly string[] = []): Credentials {
  const query = new Map<string, string>();
  let repeated: string | undefined;
  for (const text of queries) {
    const named = new Set<string>();
    for (const [name, value] of new URLSearchParams(text)) {
      const isOther = query.has(name) && query.get(name) !== value;
      if (NAMES.has(name) && (named.has(name) || isOther)) repeated ??= name;
      named.add(name);
      query.set(name, value);
    }
  }
  const [header] = authorization;
  const bearer = bearerOf(header);
  if (authorization.length > 1) repeated ??= "Authorization";
  if (bearer !== undefined && (query.get("token") || bearer) !== bearer) repeated ??= "token";
  return { query, ...(header === undefined ? {} : { authorization: header }), ...(repeated && { repeated }) };
}

/** What a refusal says to a client that showed no credential. RFC 9110 §11.6.1 */
export const BEARER_CHALLENGE = 'Bearer realm="sluice"';

/** The token of an `Authorization: Bearer` header. RFC 6750 §2.1, and spaces inside, which a configured token may have. */
export function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +(\S(?:.*\S)?) *$/i.exec(header)?.[1];
}

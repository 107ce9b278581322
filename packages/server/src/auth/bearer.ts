/** The token of an `Authorization: Bearer` header. RFC 6750 §2.1, and spaces inside, which a configured token may have. */

export function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +(\S(?:.*\S)?) *$/i.exec(header)?.[1];
}

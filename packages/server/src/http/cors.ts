/** Which web pages may read a stream: Access-Control headers by configured origins. */

export class CorsRules {
  readonly #origins: ReadonlySet<string>;

  /** @param origins  as browsers send them (`https://example.org`); `*` allows every page */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  headersFor(origin: string | undefined): Readonly<Record<string, string>> {
    if (this.#origins.has("*")) return { "Access-Control-Allow-Origin": "*" };
    if (origin === undefined || !this.#origins.has(origin)) return { Vary: "Origin" };
    return { "Access-Control-Allow-Origin": origin, Vary: "Origin" };
  }

  /** For WebSockets, to which browsers do not apply CORS themselves. */
  allowsPage(origin: string | undefined): boolean {
    return origin === undefined || this.#origins.has("*") || this.#origins.has(origin);
  }
}

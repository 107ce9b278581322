/** What web pages may do over WebSocket, to which browsers do not apply CORS: a page acts with its visitor's address. */
import type { IncomingHttpHeaders } from "node:http";
import { isOwnPage, type WebPage } from "../auth/web-origin.ts";
import type { CorsRules } from "./cors.ts";

export interface PageRulesOptions {
  /** Whose pages may play. */
  readonly cors: CorsRules;
  /** Whose pages may publish beside this server's own; `*` allows every page. */
  readonly publishOrigins: readonly string[];
  /** Hosts that are known to be this server's. */
  readonly ownNames: readonly string[];
}

export class PageRules {
  readonly #options: PageRulesOptions;

  constructor(options: PageRulesOptions) {
    this.#options = options;
  }

  /** `undefined` for a program, which sends no Origin. */
  pageOf({ origin, host = "" }: IncomingHttpHeaders): WebPage | undefined {
    if (origin === undefined) return undefined;
    const { cors, publishOrigins, ownNames } = this.#options;
    const isOwn = isOwnPage(origin, host, ownNames);
    const mayPublish = isOwn || publishOrigins.includes("*") || publishOrigins.includes(origin);
    return { origin, mayPlay: isOwn || cors.allowsPage(origin), mayPublish };
  }
}

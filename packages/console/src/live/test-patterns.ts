// Which streams the server itself produces, and the two calls that start and stop them.
import type { AdminApi } from "../api/admin-api.ts";
import { Observable, type Readable } from "../base/observable.ts";

export class TestPatterns {
  readonly #api: AdminApi;
  readonly #keys = new Observable<ReadonlySet<string>>(new Set());

  constructor(api: AdminApi) {
    this.#api = api;
  }

  get keys(): Readable<ReadonlySet<string>> {
    return this.#keys;
  }

  /** A failure keeps the known keys: the live feed reports lost connections already. */
  async refresh(): Promise<void> {
    try {
      this.#keys.set(new Set((await this.#api.testPatterns()).map((row) => row.key)));
    } catch {}
  }

  /** Returns the key of the stream that starts. */
  async start(): Promise<string> {
    const { key } = await this.#api.startTestPattern();
    this.#keys.set(new Set([...this.#keys.get(), key]));
    return key;
  }

  async stop(key: string): Promise<void> {
    await this.#api.stopTestPattern(key);
    this.#keys.set(new Set([...this.#keys.get()].filter((known) => known !== key)));
  }
}

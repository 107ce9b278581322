/** Nodes of a cluster on this machine and a browser, for tests of pages that real nodes serve. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { ensureConsole, launchBrowser } from "./browser.ts";
import { type Server, startServer } from "./server.ts";

export class PagedNodes implements AsyncDisposable {
  readonly browser: Browser;
  readonly running: Server[] = [];
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.browser = browser;
    this.#folder = folder;
  }

  static async open(): Promise<PagedNodes> {
    ensureConsole();
    const browser = await launchBrowser();
    return new PagedNodes(browser, await mkdtemp(join(tmpdir(), "sluice-paged-nodes-")));
  }

  /** @param seed  a node that runs; missing: the node founds the cluster */
  async start(id: string, seed?: Server): Promise<Server> {
    const seeds = seed === undefined ? [] : [`cluster.seeds=127.0.0.1:${seed.port("cluster")}`];
    const dir = join(this.#folder, id);
    const set = [`node.id=${id}`, `data.dir=${dir}`, "cluster.host=127.0.0.1", "cluster.port=0", ...seeds];
    const server = await startServer({ set });
    this.running.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await Promise.all(this.running.map((server) => server[Symbol.asyncDispose]()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Runs the engines' conformance suite on a real server: each client dials through a proxy of its own, which can break. */
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { EngineFaults, EngineHarness } from "@sluice/engine/conformance/harness";
import type { Engine } from "@sluice/engine/engine";
import { SystemClock } from "@sluice/runtime/system-clock";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import type { RemoteEngineTimings } from "@sluice/engine/remote/remote-limits";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import type { EngineServer } from "./engine-servers.ts";

export interface RemoteEngine extends Engine {
  /** Ends as a killed process does. */
  abandon(): Promise<void>;
}

export interface RemoteHarnessOptions {
  readonly server: EngineServer;
  readonly open: (options: RemoteEngineOptions) => Promise<RemoteEngine>;
  /** Loses all data of the store of that name. */
  readonly wipe: (name: string) => Promise<void>;
  /** What a cut looks like: sockets that break, or bytes that vanish. */
  readonly cut: "with close" | "silent";
}

/** Shorter than in service, so that a suite of real time ends. */
export const QUICK_TIMINGS: RemoteEngineTimings = {
  answer: 1_500 as Millis,
  heartbeat: 250 as Millis,
  silence: 1_200 as Millis,
  retryFirst: 50 as Millis,
  retryCap: 500 as Millis,
};

let harnessCount = 0;

export class RemoteHarness implements EngineHarness {
  readonly clock = new SystemClock();
  readonly leaseTtl = 1_200 as Millis;
  readonly leaseSlack = 2_500 as Millis;
  readonly patience = 8_000 as Millis;
  readonly tolerance = 250 as Millis;
  readonly faults: EngineFaults;
  readonly #options: RemoteHarnessOptions;
  readonly #name = `suite-${process.pid}-${harnessCount++}`;
  readonly #proxies = new Map<Engine, FaultProxy>();
  readonly #engines: RemoteEngine[] = [];

  constructor(options: RemoteHarnessOptions) {
    this.#options = options;
    this.faults = {
      kill: async (engine) => {
        this.#proxyOf(engine).cutSilently();
        await this.#engines.find((open) => open === engine)?.abandon();
      },
      cut: async (engine) => {
        const proxy = this.#proxyOf(engine);
        if (options.cut === "silent") proxy.cutSilently();
        else proxy.cutWithClose();
        // A broken socket is heard of a moment later.
        await this.advance(20 as Millis);
        return async () => proxy.heal();
      },
      delay: async (engine, by) => this.#proxyOf(engine).delay(by, "to-client"),
      wipe: () => options.wipe(this.#name),
    };
  }

  async open(): Promise<RemoteEngine> {
    const { server, open } = this.#options;
    const proxy = await FaultProxy.start({ port: server.port });
    const engine = await open({
      url: server.urlAt(proxy.port),
      name: this.#name,
      clock: this.clock,
      log: SILENT_LOG,
      random: Math.random,
      timings: QUICK_TIMINGS,
    });
    this.#proxies.set(engine, proxy);
    this.#engines.push(engine);
    return engine;
  }

  advance(millis: Millis): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, millis));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.abandon();
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    await this.#options.wipe(this.#name);
  }

  #proxyOf(engine: Engine): FaultProxy {
    const proxy = this.#proxies.get(engine);
    if (proxy === undefined) throw new Error("Cannot find the proxy: the engine is not of this harness");
    return proxy;
  }
}

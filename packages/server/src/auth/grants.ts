/** Publishes and plays that were allowed: each ends once, which is reported to the hook `auth.hooks.done`. */
import type { Clock } from "@sluice/base/clock";
import type { SluiceConfig } from "../config/load-config.ts";
import { type AccessRequest, type DoneReport, type Grant, type GrantTraffic, SILENT_GRANT } from "./access.ts";
import type { HookAnswer } from "./hook-client.ts";

export interface GrantsOptions {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  /** Asks the hook; never rejects. */
  readonly tell: (url: string, body: object) => Promise<HookAnswer>;
}

const NO_TRAFFIC: GrantTraffic = { bytesIn: 0, bytesOut: 0 };

export class Grants {
  readonly #options: GrantsOptions;
  /** Reports on their way. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** The end of such a request is not reported. */
  isSilent({ action }: AccessRequest): boolean {
    return action === "connect" || this.#options.config.auth.hooks.done === undefined;
  }

  open(request: AccessRequest): Grant {
    const { action, protocol, app, key, address, sessionId } = request;
    if (action === "connect" || this.isSilent(request)) return SILENT_GRANT;
    const { clock } = this.#options;
    const since = clock.now();
    let isOpen = true;
    return {
      end: (reason, traffic = NO_TRAFFIC) => {
        if (!isOpen) return;
        isOpen = false;
        const durationMs = Math.round(clock.now() - since);
        this.#tell({ action, protocol, app, key, address, sessionId, reason, durationMs, ...traffic });
      },
    };
  }

  /** Resolves once every report has been sent or given up. */
  async told(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Neither waits nor fails; under too much load a report is dropped and counted. */
  #tell(report: DoneReport): void {
    const { config, tell } = this.#options;
    const url = config.auth.hooks.done;
    if (url === undefined) return;
    const sent = tell(url, { ...report, event: "done", node: config.node.id });
    this.#pending.add(sent);
    void sent.then(() => this.#pending.delete(sent));
  }
}

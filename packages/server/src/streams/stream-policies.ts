/** What the configuration says about streams, in the words of the rooms that carry it out. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { PublicationId } from "@sluice/media/frame";
import type { LiveStreamOptions } from "@sluice/media/live-stream";
import { type DeliveryWindow, fixedWindow } from "@sluice/media/delivery-window";
import { DEFAULT_STREAM_LIMITS } from "@sluice/media/limits";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import { derived } from "@sluice/base/derived";
import type { SluiceConfig } from "../config/load-config.ts";
import type { ApplicationPolicy } from "../sessions/session-ports.ts";

export class StreamPolicies {
  readonly #config: SluiceConfig;
  readonly #auto: DeliveryWindow;
  readonly #policies: () => Map<string, ApplicationPolicy>;

  /** @param auto  the window of applications that leave it to the load */
  constructor(config: SluiceConfig, auto: DeliveryWindow) {
    this.#config = config;
    this.#auto = auto;
    this.#policies = derived(
      () => config.entries,
      () => new Map<string, ApplicationPolicy>(),
    );
  }

  policyOf(app: string): ApplicationPolicy {
    const policies = this.#policies();
    const known = policies.get(app);
    if (known !== undefined) return known;
    const { publish, grace, play } = this.#config.forApplication(app);
    const policy: ApplicationPolicy = {
      publish: { whenTaken: publish.policy, grace: grace.windowMs },
      playWait: { rtmp: play.wait, http: play.httpWait },
    };
    if (policies.size < MOST_APPLICATIONS) policies.set(app, policy);
    return policy;
  }

  optionsOf(key: StreamKey): Omit<LiveStreamOptions, "key" | "clock" | "memory"> {
    const { delivery, gop } = this.#config.forApplication(applicationOf(key));
    const { viewersPerStream } = this.#config.limits;
    return {
      window: delivery.window === "auto" ? this.#auto : fixedWindow(delivery.window),
      gop: {
        maxFrames: gop.enabled ? gop.maxFrames : 0,
        maxBytes: gop.maxBytes,
        maxDuration: (gop.maxSeconds * 1000) as Millis,
      },
      lag: this.#config.delivery.lag,
      limits: { ...DEFAULT_STREAM_LIMITS, subscribers: viewersPerStream || Number.POSITIVE_INFINITY },
      allocate: (byteCount) => Buffer.allocUnsafeSlow(byteCount),
      newPublication: () => randomBytes(8).toString("hex") as PublicationId,
    };
  }
}

/** Application names come from peers: policies of more of them than this are looked up each time. */
const MOST_APPLICATIONS = 1000;

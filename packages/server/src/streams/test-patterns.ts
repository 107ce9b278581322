/** Test patterns: streams that the server publishes itself, so that there is something to play at once. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { TestPatternRow } from "@sluice/client/admin-contract";
import { encodeAacBody, encodeAvcBody } from "@sluice/formats/flv/legacy-body";
import { applicationOf, findStreamKey } from "@sluice/media/stream-key";
import { STOPPING } from "../sessions/refusals.ts";
import { SILENT_GRANT } from "../auth/access.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { Publisher } from "../sessions/publisher.ts";
import { reservedReason } from "./reserved-names.ts";
import { runTestPattern } from "@sluice/pattern/pump";
import { TestPattern, type TestPatternFrame } from "@sluice/pattern/test-pattern";

/** Each costs a few per cent of a core. */
const MOST_PATTERNS = 4;

export class TestPatterns implements Disposable {
  readonly #ports: SessionPorts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running = new Map<string, AbortController>();

  constructor(ports: SessionPorts) {
    this.#ports = ports;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  rows(): readonly TestPatternRow[] {
    return [...this.#running.keys()].map((key) => ({ key }));
  }

  async start(path: string): Promise<"started" | "already-running" | { readonly refused: string }> {
    const key = findStreamKey(path);
    if (key === undefined) return { refused: `"${path}" cannot be the key of a stream` };
    const reserved = reservedReason("play", key);
    if (reserved !== undefined) return { refused: reserved };
    if (this.#running.has(key)) return "already-running";
    if (this.#ports.draining.aborted) return { refused: STOPPING };
    if (this.#running.size >= MOST_PATTERNS)
      return { refused: `No more than ${MOST_PATTERNS} test patterns run at once` };
    const stop = new AbortController();
    const facts = { sessionId: "", protocol: "internal", address: "", agent: "test pattern" };
    const { streams, policyOf } = this.#ports;
    const app = applicationOf(key);
    const policy = { ...policyOf(app).publish, whenTaken: "refuse" } as const;
    const answer = streams.publish(key, policy, facts, {
      replaced: () => stop.abort(),
      confirm: () => Promise.resolve(),
    });
    if (answer.answer !== "accepted")
      return {
        refused:
          answer.answer === "taken" ? "The stream has a publisher already" : "The server has reached its stream limit",
      };
    this.#running.set(key, stop);
    const publisher = new Publisher({
      publication: answer.publication,
      ports: uncounted(this.#ports),
      grant: SILENT_GRANT,
    });
    void this.#run(key, publisher, stop.signal);
    return "started";
  }

  stop(path: string): boolean {
    const running = this.#running.get(findStreamKey(path) ?? "");
    running?.abort();
    return running !== undefined;
  }

  [Symbol.dispose](): void {
    for (const running of this.#running.values()) running.abort();
  }

  async #run(key: string, publisher: Publisher, signal: AbortSignal): Promise<void> {
    try {
      const pattern = new TestPattern({ startWall: this.#clock.wall() });
      this.#open(pattern, publisher);
      await runTestPattern({
        pattern,
        clock: this.#clock,
        signal,
        emit: (frame) => {
          publisher.takeMedia(frame.kind, frame.timestamp, bodyOf(frame), this.#clock.now());
          publisher.deliver();
        },
      });
    } catch (err) {
      if (!signal.aborted) this.#log.error({ key, err }, "Test pattern failed");
    }
    this.#running.delete(key);
    publisher.stop("unpublished", "test pattern stopped");
  }

  #open(pattern: TestPattern, publisher: Publisher): void {
    const metadata = pattern.metadata();
    const { video, audio } = pattern.decoderConfigs();
    const now = this.#clock.now();
    publisher.takeData(0, metadata, now);
    publisher.takeMedia("video", 0, encodeAvcBody("sequence-start", video), now);
    publisher.takeMedia("audio", 0, encodeAacBody("sequence-start", audio), now);
  }
}

/** Pictures are shown in the order in which they are decoded. */
function bodyOf({ kind, data, isKeyframe }: TestPatternFrame): Uint8Array {
  if (kind === "audio") return encodeAacBody("coded-frames", data);
  return encodeAvcBody("coded-frames", data, { isKeyframe, compositionTime: 0 });
}

/** A pattern does not count as one of `limits.publishers`. */
function uncounted(ports: SessionPorts): SessionPorts {
  return { ...ports, releasePublisher() {} };
}

/** Serves this node's engine to nodes without a copy of its data: answers their calls and feeds them changes. */
import { unreachable } from "@sluice/base/unreachable";
import type { Clock } from "@sluice/base/clock";
import type { CasResult, Engine, EngineReplica } from "@sluice/engine/engine";
import { EngineLeaseLostError, EngineUnavailableError } from "@sluice/engine/errors";
import type { Channel } from "@sluice/mesh/channel";
import { RequestFailedError, Requests } from "@sluice/mesh/requests";
import { decodeCall, type EngineAnswer, type EngineCall, encodeAnswer } from "./call-frames.ts";
import { CALLS_SERVICE, type ChannelUser, type EngineChannelHost, type EngineLinks } from "./engine-links.ts";
import { HostFeed } from "./host-feed.ts";
import { ENGINE_LINK_LIMITS, type EngineLinkLimits } from "./limits.ts";

export interface EngineHostOptions {
  /** Must have `replica`. Stays open when the host closes. */
  readonly engine: Engine;
  readonly links: EngineLinks;
  readonly clock: Clock;
  readonly limits?: EngineLinkLimits;
}

export interface EngineHostCounts {
  calls: number;
  /** Calls refused because too many of one client were in progress. */
  callsRefused: number;
  /** Messages of subjects dropped because a client was too slow. */
  messagesDropped: number;
}

export class EngineHost implements EngineChannelHost, Disposable {
  readonly counts: EngineHostCounts = { calls: 0, callsRefused: 0, messagesDropped: 0 };
  readonly #options: EngineHostOptions;
  readonly #replica: EngineReplica;
  readonly #limits: EngineLinkLimits;
  readonly #serving: Disposable;
  readonly #users = new Map<Channel, ChannelUser>();

  /** @throws {TypeError} for an engine without a replica */
  constructor(options: EngineHostOptions) {
    const { engine, links, limits = ENGINE_LINK_LIMITS } = options;
    if (engine.replica === undefined) throw new TypeError("Cannot serve an engine that has no copy of its data here");
    this.#options = options;
    this.#replica = engine.replica;
    this.#limits = limits;
    this.#serving = links.serve(this);
  }

  /** Clients with an open channel. */
  get clientCount(): number {
    return [...this.#users.keys()].filter(({ service }) => service === CALLS_SERVICE).length;
  }

  opened(_peer: string, channel: Channel): ChannelUser {
    const user = channel.service === CALLS_SERVICE ? this.#calls(channel) : this.#feed(channel);
    this.#users.set(channel, user);
    return {
      message: (message) => user.message(message),
      drained: () => user.drained(),
      closed: (reason) => {
        this.#users.delete(channel);
        user.closed(reason);
      },
    };
  }

  /** Clients continue with another host. */
  [Symbol.dispose](): void {
    this.#serving[Symbol.dispose]();
    for (const [channel, user] of this.#users) {
      this.#end(channel, "this node no longer serves the engine");
      user.closed("");
    }
  }

  #feed(channel: Channel): ChannelUser {
    const dropped = (): void => void this.counts.messagesDropped++;
    const { engine, clock } = this.#options;
    const end = (reason: string): void => this.#end(channel, reason);
    return new HostFeed({ engine, replica: this.#replica, channel, clock, limits: this.#limits, dropped, end });
  }

  #end(channel: Channel, reason: string): void {
    this.#users.delete(channel);
    this.#options.links.close(channel, "failed", reason);
  }

  #calls(channel: Channel): ChannelUser {
    let bytes = 0;
    const serve = async (payload: Uint8Array): Promise<Uint8Array> => {
      this.counts.calls++;
      if (bytes > 0 && bytes + payload.length > this.#limits.servedBytes) {
        this.counts.callsRefused++;
        throw new RequestFailedError({ failure: "overloaded", detail: `calls with ${bytes} bytes are being served` });
      }
      bytes += payload.length;
      try {
        return encodeAnswer(await this.#answer(decodeCall(payload)));
      } finally {
        bytes -= payload.length;
      }
    };
    const requests = new Requests(channel, {
      clock: this.#options.clock,
      requests: this.#limits.servedCalls,
      serve,
    });
    return { message: (message) => requests.receive(message), drained() {}, closed: () => requests.end() };
  }

  async #answer(call: EngineCall): Promise<EngineAnswer> {
    try {
      return await this.#perform(call);
    } catch (error) {
      if (error instanceof EngineLeaseLostError) return { type: "lease-lost" };
      const isUnknown = error instanceof EngineUnavailableError && error.isUnknown;
      return { type: "unavailable", isUnknown, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #perform(call: EngineCall): Promise<EngineAnswer> {
    const { engine } = this.#options;
    switch (call.type) {
      case "get": {
        const entry = await engine.get(call.key);
        return entry === undefined ? { type: "none" } : { ...entry, type: "entry" };
      }
      case "cas": {
        const { key, expected, value, request, lease } = call;
        const bound = lease === undefined ? {} : { lease: { token: lease } };
        return answerOfWrite(await engine.cas(key, expected, value, { request, ...bound }));
      }
      case "remove":
        return answerOfWrite(await engine.remove(call.key, call.expected, { request: call.request }));
      case "grant":
        return { type: "token", token: await this.#replica.grant(call.ttl) };
      case "renew":
        return { type: await this.#replica.renew(call.token, call.patience) };
      case "release":
        await this.#replica.release(call.token);
        return { type: "done" };
      case "publish":
        await engine.publish(call.subject, call.message);
        return { type: "done" };
      case "append":
      case "read":
        return this.#performOnLog(call);
      default:
        return unreachable(call);
    }
  }

  async #performOnLog(call: Extract<EngineCall, { readonly type: "append" | "read" }>): Promise<EngineAnswer> {
    const { logs } = this.#options.engine;
    if (logs === undefined) return { type: "unavailable", isUnknown: false, reason: "the engine has no logs" };
    if (call.type === "read") return { type: "records", records: await logs.read(call.log, call.from) };
    const { log, expectedLast, value, request } = call;
    const result = await logs.append(log, expectedLast, value, { request });
    return result.outcome === "appended"
      ? { type: "appended", sequence: result.sequence }
      : { type: "log-conflict", sequence: result.last };
  }
}

function answerOfWrite(result: CasResult): EngineAnswer {
  if (result.outcome === "written") return { type: "written", revision: result.revision };
  return result.current === undefined ? { type: "conflict-none" } : { ...result.current, type: "conflict-entry" };
}

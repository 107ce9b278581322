/** What one client of `sluice.v1` asks, from `connect` on: each request is checked, passed to whoever can answer it, and answered once. */
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import type { DecodedMessage } from "@sluice/client/contract/codec";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import { MalformedMessageError } from "@sluice/client/contract/message-error";
import type { Encoding, RefusalCode, ServerMessage } from "@sluice/client/contract/sluice-v1";
import { applicationOf } from "@sluice/media/stream-key";
import type { Plain } from "@sluice/state/plain-data";
import { noteConnectRefusal } from "../sessions/refusals.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { MessageTransport } from "./message-transport.ts";
import { type NetClient, type SluiceSettings, whoOf } from "./net-client.ts";
import { OpenObjects } from "./open-objects.ts";
import { PeerCalls } from "./peer-calls.ts";
import { type NetRequest, readRequest } from "./request-fields.ts";

export interface NetDialogueOptions {
  readonly settings: SluiceSettings;
  readonly session: string;
  readonly client: NetClient;
  readonly encoding: Encoding;
  readonly transport: MessageTransport;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  readonly send: (message: ServerMessage) => void;
  readonly end: (reason: SessionEnd, detail: string) => void;
  readonly fail: (error: unknown) => void;
}

type State =
  | { readonly at: "connect" }
  | { readonly at: "deciding" }
  | { readonly at: "connected"; readonly objects: OpenObjects };

export class NetDialogue implements Disposable {
  readonly calls: PeerCalls;
  readonly #options: NetDialogueOptions;
  #state: State = { at: "connect" };
  #agent: string;
  #lastId = 0;
  #inFlight = 0;

  constructor(options: NetDialogueOptions) {
    this.#options = options;
    this.#agent = options.client.agent;
    this.calls = new PeerCalls(options.send);
  }

  get at(): State["at"] {
    return this.#state.at;
  }

  get agent(): string {
    return this.#agent;
  }

  /** What the client has open; undefined before it is connected. */
  get objects(): Pick<OpenObjects, "size" | "isLagging" | "skips"> | undefined {
    return this.#state.at === "connected" ? this.#state.objects : undefined;
  }

  /**
   * @returns a promise where what follows must wait
   * @throws {MalformedMessageError} for what ends the session
   */
  take(message: DecodedMessage): Promise<void> | undefined {
    if (message.type === "answer") {
      this.calls.answered(message);
      return undefined;
    }
    const { id } = message;
    const request = readRequest(message);
    if (id === undefined && request.type === "bad" && request.code === "unknown-type") return undefined;
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1)
      throw new MalformedMessageError({ problem: `a request without an id: ${cutText(message.type, 20)}` });
    if (this.#state.at === "connect") return this.#connect(id, request);
    if (!this.#isNext(id)) this.#refuse(id, "bad-request", "id");
    else this.#request(id, request);
    return undefined;
  }

  /** Of a request whose values could not be read. @returns false where that ends the session */
  refuseValue(id: number, path: string): boolean {
    if (this.#state.at !== "connected" || !this.#isNext(id)) return false;
    this.#refuse(id, "not-plain", path);
    return true;
  }

  [Symbol.dispose](): void {
    this.calls.close();
    if (this.#state.at === "connected") this.#state.objects[Symbol.dispose]();
  }

  /** Ids rise, so that they can name changes. */
  #isNext(id: number): boolean {
    if (id <= this.#lastId) return false;
    this.#lastId = id;
    return true;
  }

  #request(id: number, request: NetRequest | ReturnType<typeof readRequest>): void {
    if (this.#state.at !== "connected") return;
    const { objects } = this.#state;
    switch (request.type) {
      case "bad":
        return this.#refuse(id, request.code, request.detail);
      case "connect":
        return this.#refuse(id, "bad-request", "type");
      case "open":
        return this.#ask(id, () => objects.open(id, request));
      case "write":
        return this.#ask(id, () => objects.write(id, request));
      case "close":
        return objects.close(id, request);
      case "call":
        return this.#refuse(id, "unknown-method", request.method);
      case "ping":
        return this.#options.send({ type: "answer", id, status: "success" });
    }
  }

  /** Of an object's home, which answers later. */
  #ask(id: number, ask: () => Promise<void>): void {
    if (this.#inFlight >= SLUICE_V1_LIMITS.requestsInFlight) return this.#refuse(id, "limit", "requestsInFlight");
    this.#inFlight++;
    ask().then(() => this.#inFlight--, this.#options.fail);
  }

  async #connect(id: number, request: ReturnType<typeof readRequest>): Promise<void> {
    if (request.type !== "connect") throw new MalformedMessageError({ problem: "the first message is no connect" });
    const { client, session, settings, signal, send, end } = this.#options;
    const { ports, node, objects } = settings;
    this.#state = { at: "deciding" };
    this.#lastId = id;
    this.#agent = cutText(request.agent || this.#agent, CLAIM_LIMITS.agentCharacters);
    const who = whoOf(client, session, request.params);
    if (who === undefined) {
      this.#refuse(id, "limit", "paramsBytes");
      return end("limit", "paramsBytes");
    }
    const facts = { protocol: "sluice", address: client.address, agent: this.#agent } as const;
    const app = applicationOf(client.base);
    const asked = { ...client.access, ...facts, sessionId: session, action: "connect", app, key: "" } as const;
    const verdict = await ports.guard.decide(asked, signal);
    if (signal.aborted) return;
    if (verdict.allow) {
      const name = objects.nextClientId();
      this.#state = { at: "connected", objects: this.#openObjects(name, who) };
      return send({ type: "answer", id, status: "success", client: name, node });
    }
    const isRedirect = verdict.code === "redirected" && /^wss?:/i.test(verdict.redirect);
    const reason = isRedirect ? "redirected" : "guard";
    noteConnectRefusal(ports.log, reason, { ...facts, session, key: client.base, detail: verdict.reason });
    this.#refuse(id, isRedirect ? "redirected" : "denied", verdict.reason);
    if (isRedirect) send({ type: "move", url: verdict.redirect, reason: verdict.reason });
    end(isRedirect ? "redirected" : "denied", verdict.reason);
  }

  #openObjects(name: string, who: Plain): OpenObjects {
    const { client, settings, encoding, transport, send, fail } = this.#options;
    const { objects: source, frames, round, counts } = settings;
    return new OpenObjects({
      source,
      base: client.base,
      client: name,
      who,
      encoding,
      clock: settings.ports.clock,
      limits: SLUICE_V1_LIMITS,
      frames,
      round,
      counts,
      transport,
      answer: send,
      fail,
    });
  }

  #refuse(id: number, code: RefusalCode, detail: string): void {
    this.#options.send({ type: "answer", id, status: "refused", code, detail });
  }
}

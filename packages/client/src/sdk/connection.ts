/** A connection that lasts: dials, comes back after a cut, follows the server elsewhere, and carries objects and calls. */
import { SLUICE_V1_LIMITS } from "../contract/limits.ts";
import type { PlainObject, PlainValue } from "../contract/plain-value.ts";
import {
  type CallRequest,
  CLOSE_CODES,
  type Durability,
  type Encoding,
  type MoveMessage,
} from "../contract/sluice-v1.ts";
import { Listeners } from "./listeners.ts";
import type { Platform } from "./platform.ts";
import { SharedObject, type SharedObjectEndpoint } from "./shared-object.ts";
import { SluiceError } from "./sluice-error.ts";
import { Wire, type WireEvent } from "./wire.ts";

export type ConnectionState =
  | { readonly at: "connecting" }
  /** @property client  this client's id in events. @property node  that serves it */
  | { readonly at: "open"; readonly client: string; readonly node: string }
  /** @property wait  milliseconds until it is tried; 0: it is being tried */
  | { readonly at: "reconnecting"; readonly attempt: number; readonly wait: number; readonly reason: string }
  /** For good. @property code  a close code of `sluice.v1` */
  | { readonly at: "closed"; readonly code: number; readonly reason: string };

export interface ConnectOptions {
  /** For guards and applications. */
  readonly params?: PlainObject;
  /** A function is asked for each connection, for tokens that expire. */
  readonly token?: string | (() => string | Promise<string>);
  /** False: closed with the first connection that ends. */
  readonly reconnect?: boolean;
  /** JSON is for people who look at frames, MessagePack smaller. */
  readonly encoding?: Encoding;
  /** Program and version, for people who look at lists of sessions. */
  readonly agent?: string;
  /** Closes the connection. */
  readonly signal?: AbortSignal;
}

export interface SharedObjectOptions {
  /** True: a success means stored. A number: stored at this interval in milliseconds. `"release"`: when the last client goes. Missing: as it is. */
  readonly durable?: boolean | number | "release";
}

/** @returns the value of the answer; what it throws refuses the call */
export type Method = (...args: readonly PlainValue[]) => PlainValue | Promise<PlainValue>;

/** Connecting again: waits between half of the full wait and the full wait, which doubles. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** After so long, a connection was a good one: waits and moves count from nothing. */
const GOOD_AFTER = 60_000;

const FINAL: ReadonlySet<number> = new Set([
  CLOSE_CODES.done,
  CLOSE_CODES.tooBig,
  CLOSE_CODES.malformed,
  CLOSE_CODES.denied,
  CLOSE_CODES.kicked,
  CLOSE_CODES.limit,
]);

export class Connection implements Disposable {
  readonly #platform: Platform;
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #listeners = new Listeners<{ state: ConnectionState }>();
  readonly #methods = new Map<string, Method>();
  readonly #objects = new Map<string, SharedObjectEndpoint>();
  readonly #byPath = new Map<string, SharedObjectEndpoint>();
  #state: ConnectionState = { at: "connecting" };
  #wire: Wire | undefined;
  /** To where a `move` leads; `#wire` works on until it is open. */
  #next: Wire | undefined;
  #moveUrl: string | undefined;
  #moves: number[] = [];
  #dialling: object | undefined;
  #timer: { cancel(): void } | undefined;
  /** Of objects that are opened again after a while. */
  readonly #retries = new Set<{ cancel(): void }>();
  #failures = 0;
  #openSince = 0;

  constructor(platform: Platform, url: string, options: ConnectOptions) {
    this.#platform = platform;
    this.#url = url;
    this.#options = options;
    if (options.signal?.aborted) this.close();
    else options.signal?.addEventListener("abort", () => this.close(), { once: true });
    if (this.#state.at !== "closed") this.#dial(url);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  on(type: "state", listener: (state: ConnectionState) => void): () => void {
    return this.#listeners.add(type, listener);
  }

  /** The object at this name below the connection's path; the same one for the same name, until it is closed. */
  sharedObject<Props extends object = Record<string, PlainValue>>(
    name: string,
    options: SharedObjectOptions = {},
  ): SharedObject<Props> {
    const known = this.#objects.get(name);
    if (known !== undefined) return known as SharedObject<Props>;
    const object = new SharedObject<Props>(name, durabilityOf(options.durable), {
      opened: (opened, path) => this.#byPath.set(path, opened),
      gone: (gone) => this.#forget(gone),
      retry: (waiting) => this.#retryLater(waiting),
    });
    if (this.#state.at === "closed") {
      object.end(new SluiceError("closed", this.#state.reason));
      return object;
    }
    this.#objects.set(name, object);
    if (this.#state.at === "open" && this.#wire !== undefined) object.attach(this.#wire, this.#state.client);
    return object;
  }

  /** @returns what the server's method returns; rejects at once while there is no connection */
  call(method: string, ...args: readonly PlainValue[]): Promise<PlainValue> {
    const { promise, resolve, reject } = Promise.withResolvers<PlainValue>();
    if (this.#state.at !== "open" || this.#wire === undefined) {
      reject(new SluiceError(this.#state.at === "closed" ? "closed" : "unavailable", "no connection"));
      return promise;
    }
    this.#wire.request({ type: "call", method, arguments: args }, (outcome) =>
      outcome instanceof SluiceError ? reject(outcome) : resolve(outcome.value),
    );
    return promise;
  }

  /** What the server may call. @returns ends it */
  handle(method: string, run: Method): () => void {
    this.#methods.set(method, run);
    return () => {
      if (this.#methods.get(method) === run) this.#methods.delete(method);
    };
  }

  close(): void {
    this.#closeFor(CLOSE_CODES.done, "closed by the program");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #dial(url: string, use: (wire: Wire) => void = (wire) => (this.#wire = wire)): void {
    const dialling = {};
    this.#dialling = dialling;
    const open = (token: string | undefined): void => {
      if (this.#dialling !== dialling) return;
      const { encoding = "json", params, agent } = this.#options;
      const full =
        token === undefined ? url : `${url}${url.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}`;
      const wire: Wire = new Wire(this.#platform, { url: full, encoding, params, agent }, (event) =>
        this.#heard(wire, event),
      );
      use(wire);
    };
    const { token } = this.#options;
    if (typeof token !== "function") open(token);
    else {
      const failed = (error: unknown): void => {
        if (this.#dialling !== dialling) return;
        this.#moveUrl = undefined;
        // Of a move: the connection that there is goes on.
        if (this.#wire === undefined || this.#state.at !== "open") this.#reconnect(`no token: ${String(error)}`);
      };
      void (async () => token())().then(open, failed);
    }
  }

  #heard(wire: Wire, event: WireEvent): void {
    if (event.type === "call") void this.#run(wire, event.call);
    else if (event.type === "connected") this.#connected(wire, event.client, event.node);
    else if (event.type === "ended") this.#ended(wire, event.code, event.reason);
    else if (wire !== this.#wire) return;
    else if (event.type === "move") this.#move(event.move);
    else if (this.#byPath.get(event.message.object)?.deliver(event.message) === false) {
      wire.end(CLOSE_CODES.timeout, "a change that does not follow");
    }
  }

  #connected(wire: Wire, client: string, node: string): void {
    const old = wire === this.#next ? this.#wire : undefined;
    this.#wire = wire;
    this.#next = undefined;
    this.#moveUrl = undefined;
    this.#byPath.clear();
    this.#openSince = this.#platform.now();
    for (const object of this.#objects.values()) object.attach(wire, client);
    this.#become({ at: "open", client, node });
    old?.retire();
  }

  #move({ url }: MoveMessage): void {
    const isSecret = this.#url.startsWith("wss:"); // then the own query, a token maybe, is not sent in clear text
    if (!(isSecret ? /^wss:\/\// : /^wss?:\/\//).test(url)) return;
    const now = this.#platform.now();
    this.#moves = this.#moves.filter((at) => now - at < GOOD_AFTER);
    if (this.#moves.length >= SLUICE_V1_LIMITS.moves || this.#next !== undefined) return;
    this.#moves.push(now);
    const query = this.#url.indexOf("?");
    this.#moveUrl = query < 0 ? url : `${url}${this.#url.slice(query)}`;
    if (this.#state.at === "open") this.#dial(this.#moveUrl, (wire) => (this.#next = wire));
  }

  #ended(wire: Wire, code: number, reason: string): void {
    if (wire === this.#next) {
      this.#next = undefined;
      this.#moveUrl = undefined;
      if (this.#wire === undefined) this.#reconnect(reason);
      return;
    }
    if (wire !== this.#wire) return;
    this.#wire = undefined;
    this.#detach();
    if (FINAL.has(code) || this.#options.reconnect === false) {
      this.#closeFor(code, reason);
      return;
    }
    if (this.#state.at === "open" && this.#platform.now() - this.#openSince >= GOOD_AFTER) this.#failures = 0;
    const moved = this.#moveUrl;
    if (this.#next !== undefined) this.#become({ at: "reconnecting", attempt: 1, wait: 0, reason });
    else if (moved === undefined) this.#reconnect(reason, code === CLOSE_CODES.full);
    else {
      this.#moveUrl = undefined;
      this.#become({ at: "reconnecting", attempt: 1, wait: 0, reason });
      this.#dial(moved);
    }
  }

  #reconnect(reason: string, slowly = false): void {
    const full = slowly ? LONGEST_WAIT : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);
    const wait = full / 2 + (full / 2) * this.#platform.random();
    const attempt = ++this.#failures;
    this.#dialling = undefined;
    this.#timer = this.#platform.after(wait, () => {
      this.#become({ at: "reconnecting", attempt, wait: 0, reason });
      this.#dial(this.#url);
    });
    this.#become({ at: "reconnecting", attempt, wait, reason });
  }

  async #run(wire: Wire, { id, method, arguments: args }: CallRequest): Promise<void> {
    const run = this.#methods.get(method);
    if (run === undefined) {
      wire.answer({ type: "answer", id, status: "refused", code: "unknown-method", detail: method });
      return;
    }
    try {
      wire.answer({ type: "answer", id, status: "success", value: await run(...args) });
    } catch {
      // What went wrong is the program's own affair, and may hold secrets.
      wire.answer({ type: "answer", id, status: "refused", code: "unknown-outcome", detail: "" });
    }
  }

  #retryLater(object: SharedObjectEndpoint): void {
    const wire = this.#wire;
    const wait = FIRST_WAIT / 2 + (FIRST_WAIT / 2) * this.#platform.random();
    const timer = this.#platform.after(wait, () => {
      this.#retries.delete(timer);
      const isWanted = this.#objects.get(object.name) === object && wire === this.#wire;
      if (isWanted && wire !== undefined && this.#state.at === "open") object.attach(wire, this.#state.client);
    });
    this.#retries.add(timer);
  }

  #forget(name: string): void {
    const object = this.#objects.get(name);
    this.#objects.delete(name);
    for (const [path, known] of this.#byPath) if (known === object) this.#byPath.delete(path);
  }

  #detach(): void {
    this.#byPath.clear();
    for (const object of this.#objects.values()) object.detach();
  }

  #closeFor(code: number, reason: string): void {
    if (this.#state.at === "closed") return;
    const wires = [this.#wire, this.#next];
    this.#wire = undefined;
    this.#next = undefined;
    this.#dialling = undefined;
    this.#timer?.cancel();
    for (const timer of this.#retries) timer.cancel();
    this.#retries.clear();
    this.#become({ at: "closed", code, reason });
    for (const object of [...this.#objects.values()]) object.end(new SluiceError("closed", reason));
    for (const wire of wires) wire?.end(CLOSE_CODES.done, "closed by the program");
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#listeners.tell("state", state);
  }
}

function durabilityOf(durable: SharedObjectOptions["durable"]): Durability | undefined {
  if (durable === undefined || durable === "release") return durable;
  if (typeof durable === "number") return { every: durable };
  return durable ? "each" : "temporary";
}

/** Homes of streams and objects: this node's claims and leases, and a view of all claims that is read synchronously. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { LimitError } from "@sluice/bytes/wire-error";
import type { Engine, Lease } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import type { LinkServices } from "@sluice/mesh/link-services";
import { DirectoryView } from "./directory-view.ts";
import { HomeClaim } from "./home-claim.ts";
import { DIRECTORY_LIMITS, DIRECTORY_TIMINGS, type DirectoryTimings } from "./limits.ts";
import { OwnLeases } from "./own-leases.ts";
import { ProvisionalClaims } from "./provisional-claims.ts";
import { type HomeFields, type HomeKind, keyOfHome, type NodeRow } from "./rows.ts";

/** This node has reached its limit of claimed homes. */
export class DirectoryFullError extends LimitError {
  override readonly name = "DirectoryFullError";
  readonly code = "LIMIT_DIRECTORY_CLAIMS";
  readonly context: { readonly limit: number };
  constructor(context: DirectoryFullError["context"]) {
    super(`Cannot claim one more home: limit is ${context.limit}`);
    this.context = context;
  }
}

export interface DirectoryOptions {
  /** Stays open when the directory closes. */
  readonly engine: Engine;
  readonly services: Pick<LinkServices, "add">;
  readonly self: NodeRow;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly timings?: DirectoryTimings;
}

/** The home of a key, as far as this node knows. */
export type Home =
  | (HomeFields & { readonly isConfirmed: true; readonly epoch: Epoch })
  /** Announced by the node itself, not confirmed by the engine. */
  | (HomeFields & { readonly isConfirmed: false });

export interface ClaimOptions {
  /** While another node is home: wait for its lease to run out, or give up the claim at once. */
  readonly ifTaken: "wait" | "yield";
  /** Epoch that the present home returned from `freeze`, to hand over to this node. */
  readonly takesFrom?: Epoch;
}

export class Directory implements AsyncDisposable {
  readonly view = new DirectoryView();
  readonly #options: DirectoryOptions;
  readonly #timings: DirectoryTimings;
  readonly #leases: OwnLeases;
  readonly #provisional: ProvisionalClaims;
  readonly #service: Disposable;
  readonly #claims = new Map<string, HomeClaim>();
  readonly #homeListeners = new Set<(kind: HomeKind, key: string) => void>();
  readonly #ending = new AbortController();

  constructor(options: DirectoryOptions) {
    const { timings = DIRECTORY_TIMINGS, engine, services, clock } = options;
    this.#options = options;
    this.#timings = timings;
    this.#provisional = new ProvisionalClaims({
      clock,
      remember: timings.homesLease,
      changed: (kind, key) => {
        this.#claims.get(keyOfHome(kind, key))?.poke();
        this.#tellHome(kind, key);
      },
    });
    this.#service = services.add(this.#provisional);
    this.view.onChange((change) => {
      if (change.type === "home") {
        this.#claims.get(keyOfHome(change.kind, change.key))?.poke(change.row === undefined);
        this.#tellHome(change.kind, change.key);
      }
      if (change.type === "stale" && !change.isStale) this.#pokeAll();
    });
    void this.view.follow(engine, this.#ending.signal);
    this.#leases = new OwnLeases({ ...options, timings, homesChanged: () => this.#pokeAll() });
  }

  /** Undefined while there is none: acknowledge nothing then. */
  get homesLease(): Lease | undefined {
    return this.#leases.homes;
  }

  /** Confirmed homes take precedence over announced ones. */
  findHome(kind: HomeKind, key: string): Home | undefined {
    const row = this.view.findHome(kind, key);
    if (row !== undefined) return { ...row, isConfirmed: true };
    const own = this.#claims.get(keyOfHome(kind, key));
    const fields = own?.state.at === "provisional" ? own.wish.fields : this.#provisional.find(kind, key);
    return fields && { ...fields, isConfirmed: false };
  }

  /** Called with each key of which `findHome` may answer otherwise than before. */
  onHome(kind: HomeKind, listener: (key: string) => void): Disposable {
    const heard = (of: HomeKind, key: string): void => (of === kind ? listener(key) : undefined);
    this.#homeListeners.add(heard);
    return { [Symbol.dispose]: () => void this.#homeListeners.delete(heard) };
  }

  /**
   * @param publication  16 hexadecimal digits; a new home with the same publication may take the row at once
   * @throws {DirectoryFullError}
   */
  claimStream(
    key: string,
    { publication, publisherAt, ...options }: ClaimOptions & Pick<HomeFields, "publication" | "publisherAt">,
  ): HomeClaim {
    return this.#claim("stream", key, { publication, publisherAt }, options);
  }

  /** @throws {DirectoryFullError} */
  claimObject(key: string, options: ClaimOptions): HomeClaim {
    return this.#claim("object", key, { publication: "", publisherAt: "" }, options);
  }

  /** Removes this node's rows at once if the engine is reachable. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const claim of this.#claims.values()) claim.release();
    await this.#leases.close();
    this.#ending.abort();
    this.#service[Symbol.dispose]();
    this.#provisional[Symbol.dispose]();
  }

  #claim(
    kind: HomeKind,
    key: string,
    fields: Pick<HomeFields, "publication" | "publisherAt">,
    options: ClaimOptions,
  ): HomeClaim {
    const name = keyOfHome(kind, key);
    const before = this.#claims.get(name);
    if (before === undefined && this.#claims.size >= DIRECTORY_LIMITS.claims) {
      throw new DirectoryFullError({ limit: DIRECTORY_LIMITS.claims });
    }
    before?.release();
    this.#leases.wantHomes();
    const { id: home, incarnation } = this.#options.self;
    const wish = { ...options, kind, key, fields: { ...fields, home, incarnation } };
    const ports = {
      ...this.#options,
      view: this.view,
      timings: this.#timings,
      lease: () => this.#leases.homes,
      heard: (...of: [HomeKind, string]) => this.#provisional.find(...of),
      changed: (changed: HomeClaim) => this.#changed(changed),
    };
    const claim = new HomeClaim(wish, ports, before?.finished ?? Promise.resolve());
    this.#claims.set(name, claim);
    void claim.finished.then(() => {
      if (this.#claims.get(name) === claim) this.#claims.delete(name);
    });
    return claim;
  }

  #changed({ wish, state }: HomeClaim): void {
    if (state.at === "provisional") this.#provisional.tell(wish);
    else this.#provisional.withdraw(wish.kind, wish.key);
    this.#tellHome(wish.kind, wish.key);
  }

  #tellHome(kind: HomeKind, key: string): void {
    for (const listener of this.#homeListeners) listener(kind, key);
  }

  #pokeAll(): void {
    for (const claim of this.#claims.values()) claim.poke();
  }
}

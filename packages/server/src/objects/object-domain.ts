/** Shared objects whose homes stand in one directory: those of a cluster, or a node's own; they may be opened before their engine is. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Directory } from "@sluice/cluster/directory/directory";
import { DirectoryOwnership, type DirectoryOwnershipOptions } from "@sluice/cluster/objects/directory-ownership";
import type { Engine } from "@sluice/engine/engine";
import type { Durability } from "@sluice/state/change";
import { ObjectHost } from "@sluice/state/object-host";
import type { ObjectLinks, ObjectNotice } from "@sluice/state/ports";

export interface ObjectDomainOptions extends DirectoryOwnershipOptions {
  readonly links: ObjectLinks;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Told what becomes of objects of which this node is the home. */
  readonly notice: (notice: ObjectNotice) => void;
}

/** What a domain is opened with. */
export interface OpenedEngine {
  readonly directory: Directory;
  readonly engine: Engine;
  /** Why durable objects are refused, for the log; undefined where they are kept. */
  readonly refusesDurable: string | undefined;
}

export class ObjectDomain implements AsyncDisposable {
  readonly host: ObjectHost;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #ownership: DirectoryOwnership;
  readonly #opening = Promise.withResolvers<void>();
  #opened: OpenedEngine | undefined;
  #opener: (() => void) | undefined;
  #hasWarned = false;

  constructor(options: ObjectDomainOptions) {
    this.#log = options.log;
    this.#clock = options.clock;
    this.#ownership = new DirectoryOwnership(options);
    const guard = {
      mayCreate: (path: string, _who: unknown, durability: Durability) => this.#mayKeep(path, durability),
    };
    this.host = new ObjectHost({ ...options, guard, ownership: this.#ownership, engine: () => this.#engine });
  }

  /** Calls `opener` once, when the first object is used. */
  openOnUse(opener: () => void): void {
    this.#opener = opener;
  }

  /** Objects that wait are served from now on. */
  open(opened: OpenedEngine): void {
    this.#opened = opened;
    this.#ownership.open(opened.directory);
    this.#opening.resolve();
  }

  /** Id of the node that the directory has as the home. */
  findHome(path: string): string | undefined {
    return this.#ownership.findHome(path)?.node;
  }

  /** Undefined where the engine is not open in time. */
  async engineWithin(patience: Millis): Promise<Engine | undefined> {
    this.use();
    const waiting = new AbortController();
    const late = this.#clock.sleep(patience, waiting.signal).catch(() => undefined);
    if (this.#opened === undefined) await Promise.race([this.#opening.promise, late]);
    waiting.abort();
    return this.#opened?.engine;
  }

  /** An object is used. */
  use(): void {
    const opener = this.#opener;
    this.#opener = undefined;
    opener?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.host[Symbol.asyncDispose]();
  }

  /** Asked for by homes alone, which there are none of before. */
  get #engine(): Engine {
    if (this.#opened === undefined) throw new TypeError("Cannot use the engine of shared objects: it is not open");
    return this.#opened.engine;
  }

  #mayKeep(path: string, { type }: Durability): boolean {
    const reason = this.#opened?.refusesDurable;
    if (type === "temporary" || reason === undefined) return true;
    if (!this.#hasWarned) this.#log.warn({ path, reason }, "Persistent shared objects are refused");
    this.#hasWarned = true;
    return false;
  }
}

/** Shared objects whose homes stand in one directory: those of a cluster, or a node's own; they may be opened before their engine is. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Directory } from "@sluice/cluster/directory/directory";
import { DirectoryOwnership, type DirectoryOwnershipOptions } from "@sluice/cluster/objects/directory-ownership";
import type { Engine } from "@sluice/engine/engine";
import type { Durability } from "@sluice/state/change";
import { ObjectHost } from "@sluice/state/object-host";
import type { ObjectLinks } from "@sluice/state/ports";

export interface ObjectDomainOptions extends DirectoryOwnershipOptions {
  readonly links: ObjectLinks;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
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
  readonly #ownership: DirectoryOwnership;
  #opened: OpenedEngine | undefined;
  #opener: (() => void) | undefined;
  #hasWarned = false;

  constructor(options: ObjectDomainOptions) {
    this.#log = options.log;
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

/** Shared objects of the node: the links, directories and engines that they stand on, each opened when it is there. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { Scope } from "@sluice/base/scope";
import type { AdminEvent } from "@sluice/client/admin-contract";
import { Directory } from "@sluice/cluster/directory/directory";
import { ObjectChannels } from "@sluice/cluster/objects/object-channels";
import type { Engine } from "@sluice/engine/engine";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import type { Incarnation } from "@sluice/mesh/hello";
import type { NodeRow } from "@sluice/mesh/membership/membership-view";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import type { SluiceConfig } from "../config/load-config.ts";
import { DEFAULT_ADMIN_LIMITS } from "../admin/limits.ts";
import { NodeObjects, objectPolicyOf } from "../objects/node-objects.ts";
import { ObjectWatch } from "../objects/object-watch.ts";

export interface ObjectsPartOptions {
  readonly config: SluiceConfig;
  readonly incarnation: Incarnation;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly tell: (event: AdminEvent) => void;
}

/** Where a node's own objects are kept. */
export interface OwnEngine {
  /** Stays open. */
  readonly engine: Engine;
  /** Why durable objects are refused; undefined where they are kept. */
  readonly refusesDurable?: string;
}

export class ObjectsPart {
  readonly objects: NodeObjects;
  /** Rates, metrics and events. */
  readonly watch: ObjectWatch;
  readonly #options: ObjectsPartOptions;
  readonly #self: { readonly id: string; readonly incarnation: number };
  readonly #channels: ObjectChannels | undefined;
  #members: () => readonly NodeRow[] = () => [];

  constructor(options: ObjectsPartOptions) {
    const { config, incarnation, clock, log } = options;
    this.#options = options;
    const life = incarnation || secondsOf(clock.wall());
    this.#self = { id: config.node.id, incarnation: life };
    this.#channels = config.isClustered ? new ObjectChannels() : undefined;
    this.watch = new ObjectWatch({
      ...options,
      self: config.node.id,
      objects: () => this.objects.objects,
      eventsPerSecond: DEFAULT_ADMIN_LIMITS.objectEvents,
    });
    this.objects = new NodeObjects({
      notice: (notice) => this.watch.note(notice),
      self: config.node.id,
      life,
      clock,
      log,
      random: Math.random,
      policyOf: (app) => objectPolicyOf(config.forApplication(app)),
      cluster: this.#channels && {
        isOrigin: config.node.roles.includes("origin"),
        origins: () => originsOf(this.#members()),
        links: this.#channels,
      },
    });
    const { shared } = this.objects;
    if (shared !== undefined) this.#channels?.serve(shared.host);
  }

  /** Call before the cluster has links. */
  join({ services, membership }: ClusterNode): void {
    if (this.#channels !== undefined) services.add(this.#channels);
    this.#members = () => membership.rows;
  }

  /** The engine of the cluster has been reached. What is passed in stays open, and must outlast `scope`. */
  openShared(directory: Directory, engine: Engine, scope: Scope): void {
    const { shared } = this.objects;
    if (shared === undefined) return;
    shared.open({ directory, engine, refusesDurable: undefined });
    scope.use(shared);
  }

  /**
   * The node's own objects stand on what `find` answers; it is asked once, when the first of them is used.
   * @param find  undefined: the node is stopping
   */
  openOwnOnUse(find: () => Promise<OwnEngine | undefined>, scope: Scope): void {
    const { clock, log } = this.#options;
    const open = async (): Promise<void> => {
      const found = await find();
      if (found === undefined || scope.signal.aborted) return;
      const { engine, refusesDurable } = found;
      const self = this.#self;
      const directory = scope.use(
        new Directory({ engine, services: NO_SERVICES, self, clock, log, random: Math.random }),
      );
      this.objects.own.open({ directory, engine, refusesDurable });
      scope.use(this.objects.own);
    };
    this.objects.own.openOnUse(() => {
      open().catch((error: unknown) => log.error({ err: error }, "Shared objects cannot be opened"));
    });
  }

  /** An engine for objects that last as long as the process. */
  openMemory(scope: Scope): Engine {
    return scope.use(new MemoryEngine(new MemoryStore({ clock: this.#options.clock, generation: 1 })));
  }
}

const NO_SERVICES = { add: () => ({ [Symbol.dispose]() {} }) };

/** Those that can be counted on; where none can, those that are on their way out. */
function originsOf(rows: readonly NodeRow[]): readonly string[] {
  const origins = rows.filter(({ record }) => record.roles.includes("origin"));
  const ids = (...standings: readonly NodeRow["standing"][]): readonly string[] =>
    origins.filter(({ standing }) => standings.includes(standing)).map(({ record }) => record.id);
  const present = ids("ready", "starting");
  return present.length > 0 ? present : ids("draining");
}

function secondsOf(wall: Millis): number {
  return Math.floor(wall / 1_000);
}

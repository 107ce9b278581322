/** Opens shared objects for the clients of a node, whatever protocol they speak. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Engine } from "@sluice/engine/engine";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import { type Refusal, refusal } from "@sluice/state/change";
import { ObjectLimitError } from "@sluice/state/errors";
import type { ConnectOptions, ObjectClient } from "@sluice/state/object-client";
import type { ObjectLinks, ObjectNotice } from "@sluice/state/ports";
import type { SharedObject } from "@sluice/state/shared-object";
import { reservedReason } from "../streams/reserved-names.ts";
import { ObjectDomain } from "./object-domain.ts";

/** What the configuration says of an application. */
export interface ObjectPolicy {
  readonly objects: "on" | "off";
  readonly cluster: "shared" | "local";
}

/** What an application's configuration says; streams that are closed close objects as well, unless it says otherwise. */
export function objectPolicyOf(application: {
  readonly objects: "auto" | "on" | "off";
  readonly cluster: "shared" | "local";
  readonly auth: { readonly publish: readonly string[]; readonly play: readonly string[] };
}): ObjectPolicy {
  const { objects, cluster, auth } = application;
  const isOpen = auth.publish.includes("open") && auth.play.includes("open");
  return { objects: objects === "auto" ? (isOpen ? "on" : "off") : objects, cluster };
}

export interface NodeObjectsOptions {
  readonly self: string;
  /** A number that no earlier life of this node had. */
  readonly life: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly policyOf: (app: string) => ObjectPolicy;
  /** Told what becomes of objects of which this node is the home. */
  readonly notice: (notice: ObjectNotice) => void;
  /** Undefined outside a cluster. */
  readonly cluster:
    | { readonly isOrigin: boolean; readonly origins: () => readonly string[]; readonly links: ObjectLinks }
    | undefined;
}

/** Must outlast the opening of a store on disk. */
const ENGINE_PATIENCE = 2_000 as Millis;

const NO_LINKS: ObjectLinks = { nodes: [], send() {} };

export class NodeObjects {
  /** Objects that this node has for itself: all of them outside a cluster, else those of local applications. */
  readonly own: ObjectDomain;
  /** Objects of the cluster; undefined outside one. */
  readonly shared: ObjectDomain | undefined;
  readonly #options: NodeObjectsOptions;
  #clientCount = 0;

  constructor(options: NodeObjectsOptions) {
    const { self, cluster } = options;
    this.#options = options;
    this.own = new ObjectDomain({ ...options, isOrigin: true, origins: () => [self], links: NO_LINKS });
    this.shared = cluster && new ObjectDomain({ ...options, ...cluster });
  }

  /** For `ConnectOptions.client`: unique in the cluster, and never given twice. */
  nextClientId(): string {
    const { self, life } = this.#options;
    return `${self}.${life.toString(36)}.${(++this.#clientCount).toString(36)}`;
  }

  /**
   * Opens the object for a client. Write to it, and take from it, once `connected` has said `connected`.
   *
   * @param path  connect path and name of the object, by `findStreamKeyOfUrl`, so that however a client splits them it
   *   is the same object
   * @returns a refusal where it is refused here already: `denied` with the act `connect` (switched off, or a reserved
   *   path), or `limit`
   */
  connect(path: StreamKey, options: ConnectOptions): ObjectClient | Refusal {
    const { objects } = this.#policyOf(path);
    if (objects === "off" || reservedReason("publish", path) !== undefined) return refusal("denied", "connect");
    const domain = this.#domainOf(path);
    domain.use();
    try {
      return domain.host.connect(path, options);
    } catch (error) {
      if (error instanceof ObjectLimitError) return refusal("limit", error.context.limit);
      throw error;
    }
  }

  /** All that this node has a copy of. */
  get objects(): readonly SharedObject[] {
    return [...(this.shared?.host.objects ?? []), ...this.own.host.objects];
  }

  /** Where this node has a copy of it. */
  find(path: StreamKey): SharedObject | undefined {
    return this.#domainOf(path).host.find(path);
  }

  /** Whether it is one object on all nodes. */
  isShared(path: StreamKey): boolean {
    return this.#domainOf(path) === this.shared;
  }

  /** Id of the node that the directory has as the home. */
  findHome(path: StreamKey): string | undefined {
    return this.#domainOf(path).findHome(path);
  }

  /** Where the object is kept if it is durable; undefined where that is not open in time. */
  engineOf(path: StreamKey): Promise<Engine | undefined> {
    return this.#domainOf(path).engineWithin(ENGINE_PATIENCE);
  }

  #domainOf(path: StreamKey): ObjectDomain {
    return this.shared !== undefined && this.#policyOf(path).cluster === "shared" ? this.shared : this.own;
  }

  #policyOf(path: StreamKey): ObjectPolicy {
    return this.#options.policyOf(applicationOf(path));
  }
}

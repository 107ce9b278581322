/** Shared objects for the admin API: those of all nodes as one list, and what an operator does to one. */
import { amfObject } from "@sluice/amf/value";
import type { ObjectAnswer, ObjectMoved, ObjectRow, ObjectsAnswer, ObjectWritten } from "@sluice/client/admin-objects";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Refusal, Wish } from "@sluice/state/change";
import { OBJECT_ROW_PREFIX } from "@sluice/state/durable-row";
import { NotPlainDataError, ObjectLimitError } from "@sluice/state/errors";
import type { ObjectClient } from "@sluice/state/object-client";
import { toPlain } from "@sluice/state/plain-data";
import { formatPosition } from "@sluice/state/position";
import type { SharedObject } from "@sluice/state/shared-object";
import { removeWish, setWish } from "@sluice/state/wishes";
import type { AdminObjects, ObjectRefusal, PropertyChange } from "../admin/admin-source.ts";
import type { ObjectCopyFacts, ObjectList, ObjectQuery } from "../cluster/object-list.ts";
import type { ObjectActions } from "../cluster/node-calls.ts";
import type { NodeObjects } from "../objects/node-objects.ts";
import { type FactSources, factsOf, objectList } from "../objects/object-facts.ts";
import type { ObjectWatch } from "../objects/object-watch.ts";
import { positionIn, propertyRow, valueIn } from "../objects/property-rows.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { NodePart } from "./node-part.ts";
import { expectedNodes } from "./expected-nodes.ts";
import { mergeCopies, mergeObjects, type NodeCopies } from "./merge-objects.ts";

/** Asks other nodes; all of it rejects where there is no answer in time. */
export interface OtherNodes {
  /** Nodes that should answer. */
  readonly ids: () => readonly string[];
  objects(node: string, query: ObjectQuery): Promise<ObjectList>;
  object(node: string, path: string): Promise<ObjectCopyFacts | undefined>;
  /** @returns why not; empty when done */
  moveObject(node: string, path: string, to: string): Promise<string>;
  forgetObject(node: string, path: string): Promise<string>;
}

export interface AdminObjectsOptions {
  readonly self: string;
  readonly objects: NodeObjects;
  readonly watch: ObjectWatch;
  /** Undefined outside a cluster. */
  readonly others: OtherNodes | undefined;
}

/** What an operator is to guards. */
const OPERATOR = toPlain(amfObject({ operator: true }), "who", 100);

/** Told by `forget`; the words are for people. */
const IN_USE = "clients use it; clear it instead, or end their sessions";

export class NodeAdminObjects implements AdminObjects, ObjectActions {
  readonly #options: AdminObjectsOptions;
  readonly #sources: FactSources;

  constructor(options: AdminObjectsOptions) {
    const { self, objects, watch } = options;
    this.#options = options;
    this.#sources = {
      self,
      findHome: (path) => objects.findHome(path as StreamKey),
      rateOf: (object) => watch.rateOf(object),
    };
  }

  async list(query: ObjectQuery): Promise<ObjectsAnswer> {
    const { self, objects, others } = this.#options;
    const silent: string[] = [];
    const asked = (others?.ids() ?? []).map(async (node): Promise<readonly NodeCopies[]> => {
      const list = await others?.objects(node, query).catch(() => undefined);
      if (list === undefined) silent.push(node);
      return list === undefined ? [] : [{ node, list }];
    });
    const own = { node: self, list: objectList(objects.objects, query, this.#sources) };
    const answers = [own, ...(await Promise.all(asked)).flat()];
    const merged = mergeObjects(answers, { query, self, silent });
    return { ...merged, objects: merged.objects.map((row) => this.#scoped(row)) };
  }

  async find(path: string, limit = Number.POSITIVE_INFINITY): Promise<ObjectAnswer | ObjectRefusal> {
    const used = await this.#use(path, async (_client, object) => {
      const { properties, lock } = object.copy.state;
      return {
        properties: [...properties]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, limit)
          .map(([name, property]) => propertyRow(name, property)),
        lock: lock === undefined ? null : { owner: lock.owner, leaseMs: lock.lease },
      };
    });
    return "refused" in used ? used : { ...used, ...(await this.#rowOf(path)) };
  }

  async write(path: string, changes: readonly PropertyChange[]): Promise<ObjectWritten | ObjectRefusal> {
    let wishes: readonly Wish[];
    try {
      wishes = changes.map(wishOf);
    } catch (error) {
      if (!(error instanceof NotPlainDataError || error instanceof ObjectLimitError)) throw error;
      return { refused: "bad-request", detail: error.message };
    }
    return this.#use(path, async (client) => {
      const outcome = await client.write(wishes);
      return outcome.type === "success" ? { path, at: formatPosition(outcome.at) } : refusalOf(path, outcome);
    });
  }

  async move(path: string, to: string): Promise<ObjectMoved | ObjectRefusal> {
    const home = this.#homeOf(path);
    if (home === undefined) return notFound(path);
    if (home === to) return { path, home };
    const failure = await this.#atHome(
      home,
      (others) => others.moveObject(home, path, to),
      () => this.moveHere(path, to),
    );
    if (typeof failure !== "string") return failure;
    return failure === "" ? { path, home: to } : { refused: "conflict", detail: `${home} keeps it: ${failure}` };
  }

  async forget(path: string): Promise<"done" | ObjectRefusal> {
    const home = this.#homeOf(path) ?? this.#options.self;
    if (!(await this.#exists(path).catch(() => true))) return notFound(path);
    const failure = await this.#atHome(
      home,
      (others) => others.forgetObject(home, path),
      () => this.forgetHere(path),
    );
    if (typeof failure !== "string") return failure;
    return failure === "" ? "done" : { refused: "conflict", detail: failure };
  }

  listHere(query: ObjectQuery): ObjectList {
    return objectList(this.#options.objects.shared?.host.objects ?? [], query, this.#sources);
  }

  factsHere(path: string): ObjectCopyFacts | undefined {
    const object = this.#find(path);
    return object === undefined ? undefined : factsOf(object, this.#sources);
  }

  async moveHere(path: string, to: string): Promise<string> {
    const result = await this.#find(path)?.moveTo(to);
    if (result === undefined) return "not the home";
    return result.type === "moved" ? "" : result.detail;
  }

  async forgetHere(path: string): Promise<string> {
    const object = this.#find(path);
    if (object?.isHome === true) {
      if (hasClients(object)) return IN_USE;
      const cleared = await this.write(path, [{ type: "clear" }]);
      if ("refused" in cleared) return cleared.detail;
      await object.retire(() => hasClients(object));
      if (this.#find(path) === object) return IN_USE;
    }
    try {
      return await this.#forgetStored(path);
    } catch (error) {
      return `it is not known whether the state engine has forgotten it: ${(error as Error).message}`;
    }
  }

  #find(path: string): SharedObject | undefined {
    return this.#options.objects.find(path as StreamKey);
  }

  #homeOf(path: string): string | undefined {
    const { self, objects } = this.#options;
    return this.#find(path)?.isHome === true ? self : objects.findHome(path as StreamKey);
  }

  async #exists(path: string): Promise<boolean> {
    if (this.#find(path)?.copy.state.durability !== undefined || this.#homeOf(path) !== undefined) return true;
    const engine = await this.#options.objects.engineOf(path as StreamKey);
    return (await engine?.get(OBJECT_ROW_PREFIX + path)) !== undefined;
  }

  async #forgetStored(path: string): Promise<string> {
    const engine = await this.#options.objects.engineOf(path as StreamKey);
    const entry = await engine?.get(OBJECT_ROW_PREFIX + path);
    if (engine === undefined || entry === undefined) return "";
    const removed = await engine.remove(entry.key, entry.revision);
    return removed.outcome === "written" ? "" : IN_USE;
  }

  /** Connected as a client for a moment, wherever the home is. */
  async #use<T extends object>(
    path: string,
    act: (client: ObjectClient, object: SharedObject) => Promise<T>,
  ): Promise<T | ObjectRefusal> {
    const { objects } = this.#options;
    try {
      if (!(await this.#exists(path))) return notFound(path);
    } catch (error) {
      return { refused: "unavailable", detail: (error as Error).message };
    }
    const options = { client: objects.nextClientId(), who: OPERATOR, ready() {} };
    const opened = objects.connect(path as StreamKey, options);
    if ("type" in opened) return refusalOf(path, opened);
    using client = opened;
    const connected = await client.connected;
    if (connected.type === "refused") return refusalOf(path, connected);
    const object = this.#find(path);
    return object === undefined ? notFound(path) : await act(client, object);
  }

  async #rowOf(path: string): Promise<{ readonly object: ObjectRow; readonly silent: readonly string[] }> {
    const { self, others } = this.#options;
    const silent: string[] = [];
    const nodes = this.#isShared(path) ? (others?.ids() ?? []) : [];
    const asked = nodes.map(async (node) => {
      const facts = await others?.object(node, path).catch(() => void silent.push(node));
      return facts === undefined ? [] : [{ node, facts }];
    });
    const own = this.factsHere(path);
    const copies = [...(own === undefined ? [] : [{ node: self, facts: own }]), ...(await Promise.all(asked)).flat()];
    return { object: this.#scoped(mergeCopies(copies, self)), silent: silent.sort() };
  }

  async #atHome(
    home: string,
    there: (others: OtherNodes) => Promise<string>,
    here: () => Promise<string>,
  ): Promise<string | ObjectRefusal> {
    const { self, others } = this.#options;
    if (home === self || others === undefined) return here();
    return there(others).catch((error: Error) => ({
      refused: "unavailable" as const,
      detail: `Cannot hear from its home "${home}": ${error.message}`,
    }));
  }

  #isShared(path: string): boolean {
    return this.#options.objects.isShared(path as StreamKey);
  }

  #scoped(row: ObjectRow): ObjectRow {
    const isLocal = this.#options.others !== undefined && !this.#isShared(row.path);
    return isLocal ? { ...row, scope: "node" } : row; // a node alone is a cluster of one
  }
}

/** Answers other nodes about this one's objects from now on. */
export function adminObjects(node: NodePart, part: ClusterPart | undefined): AdminObjects {
  const { objects, watch } = node.objects;
  const self = node.config.node.id;
  const others = part && {
    ids: () => expectedNodes(part.cluster, self),
    objects: (peer: string, query: ObjectQuery) => part.calls.objects(peer, query),
    object: (peer: string, path: string) => part.calls.object(peer, path),
    moveObject: (peer: string, path: string, to: string) => part.calls.moveObject(peer, path, to),
    forgetObject: (peer: string, path: string) => part.calls.forgetObject(peer, path),
  };
  const own = new NodeAdminObjects({ self, objects, watch, others });
  part?.calls.serveObjects(own);
  return own;
}

function hasClients({ users }: SharedObject): boolean {
  return users.here.size > 0 || [...users.elsewhere.counts.values()].some((count) => count > 0);
}

function wishOf(change: PropertyChange): Wish {
  if (change.type === "clear") return { type: "clear" };
  const expected = change.at === undefined ? undefined : positionIn(change.at);
  return change.type === "remove"
    ? removeWish(change.name, expected)
    : setWish(change.name, valueIn(change.name, change.value), expected);
}

function notFound(path: string): ObjectRefusal {
  return { refused: "not-found", detail: `Cannot find object "${path}"` };
}

function refusalOf(path: string, { status, detail }: Refusal): ObjectRefusal {
  const about = `Cannot change object "${path}": ${status}${detail === "" ? "" : ` (${detail})`}`;
  if (status === "unavailable" || status === "unknown-outcome" || status === "rate" || status === "not-connected")
    return { refused: "unavailable", detail: about };
  return { refused: status === "not-plain" ? "bad-request" : "conflict", detail: about };
}

/** Nodes that share objects on the simulated network: engine, directory, links and hosts of objects joined as a server joins them. */
import { SILENT_LOG } from "@sluice/base/log";
import { DirectoryOwnership } from "@sluice/cluster/objects/directory-ownership";
import { ObjectChannels } from "@sluice/cluster/objects/object-channels";
import type { Engine } from "@sluice/engine/engine";
import { ObjectHost } from "@sluice/state/object-host";
import type { ObjectLimits } from "@sluice/state/limits";
import { OBJECT_LIMITS } from "@sluice/state/limits";
import { TestClient, type TestClientOptions } from "../../state/test/sim-clients.ts";
import { Directory } from "@sluice/cluster/directory/directory";
import { HOSTS } from "./directory-world.ts";
import { EngineWorld, type WorldNode } from "./engine-world.ts";

export interface ObjectNode extends WorldNode {
  readonly host: ObjectHost;
  readonly ownership: DirectoryOwnership;
  readonly channels: ObjectChannels;
  /** Reaches the engine. */
  open(): Promise<void>;
}

export interface ObjectNodeOptions {
  readonly isOrigin?: boolean;
  readonly limits?: Partial<ObjectLimits>;
}

export class ObjectsWorld extends EngineWorld {
  readonly members = new Map<string, ObjectNode>();
  readonly #origins = new Set<string>();
  #incarnation = 0;

  constructor(seed: number) {
    super(seed);
    for (const name of HOSTS) this.startHost(name);
  }

  /** Linked, and without an engine until `open`. */
  start(name: string, { isOrigin = true, limits = {} }: ObjectNodeOptions = {}): ObjectNode {
    const node = this.startNode(name);
    if (isOrigin) this.#origins.add(name);
    const channels = new ObjectChannels();
    const ownership = new DirectoryOwnership({ self: name, isOrigin, origins: () => [...this.#origins] });
    let engine: Engine | undefined;
    const host = new ObjectHost({
      ownership,
      links: channels,
      engine: () => engine as Engine,
      clock: node.clock,
      log: SILENT_LOG,
      random: this.random,
      limits: { ...OBJECT_LIMITS, ...limits },
    });
    channels.serve(host);
    node.services.add(channels);
    const open = async (): Promise<void> => {
      const reached = await this.during(this.openClient(node));
      engine = reached;
      const self = { id: name, incarnation: ++this.#incarnation };
      const { services, clock } = node;
      ownership.open(new Directory({ engine: reached, services, self, clock, log: SILENT_LOG, random: this.random }));
    };
    const member = { ...node, host, ownership, channels, open };
    this.members.set(name, member);
    return member;
  }

  async join(name: string, options?: ObjectNodeOptions): Promise<ObjectNode> {
    const member = this.start(name, options);
    await member.open();
    return member;
  }

  /** As kill -9. */
  end(name: string): void {
    this.members.delete(name);
    this.#origins.delete(name);
    this.kill(name);
  }

  client(node: ObjectNode, path: string, client: string, options: TestClientOptions = {}): TestClient {
    return new TestClient(node, path, { client, ...options });
  }

  homeOf(path: string): string | undefined {
    return [...this.members.values()].find(({ host }) => host.find(path)?.isHome === true)?.name;
  }

  /** Of the link from one node to another, so far. */
  bytesFrom(from: ObjectNode, to: string): number {
    return [...from.mesh.links.values()].find(({ peer }) => peer.id === to)?.driver.link?.counts.bytesOut ?? 0;
  }
}

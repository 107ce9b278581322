/** Network namespaces joined by a bridge, for real partitions between processes of one machine; needs root on Linux. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Space {
  /** As `ip netns` lists it. */
  readonly namespace: string;
  /** Its end of the cable on the bridge. */
  readonly port: string;
  readonly address: string;
  readonly hardwareAddress: string;
}

/** Nobody has it: what is sent there arrives nowhere. */
const NOBODY = "02:00:00:00:00:fe";

/**
 * Why there can be no namespaces here, or undefined when there can. Tries it, since containers allow root more or less.
 */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== "linux") return "not Linux";
  if (process.getuid?.() !== 0) return "not root";
  try {
    const spaces = await NetworkNamespaces.create(["probe"]);
    await spaces[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n").join(" ") : String(error);
  }
}

/**
 * Each name becomes a machine of its own with an address in 10.77.0.0/24 and loopback. The bridge lives in a namespace
 * too, so nothing of the machine's own network changes. Dispose it (`await using`) after the programs in it ended.
 */
export class NetworkNamespaces implements AsyncDisposable {
  readonly #hub: string;
  readonly #spaces = new Map<string, Space>();

  private constructor(hub: string) {
    this.#hub = hub;
  }

  /** @throws {Error} with what `ip` said; nothing is left behind then */
  static async create(names: readonly string[]): Promise<NetworkNamespaces> {
    const prefix = `sl${randomBytes(3).toString("hex")}`;
    const spaces = new NetworkNamespaces(`${prefix}-hub`);
    try {
      await ip("netns", "add", spaces.#hub);
      await ip("-n", spaces.#hub, "link", "add", "bridge", "type", "bridge", "forward_delay", "0");
      await ip("-n", spaces.#hub, "link", "set", "bridge", "up");
      for (const [index, name] of names.entries()) await spaces.#add(name, prefix, index + 1);
      return spaces;
    } catch (error) {
      await spaces[Symbol.asyncDispose]();
      throw error;
    }
  }

  addressOf(name: string): string {
    return this.#get(name).address;
  }

  /** The same command inside: `startChild(spaces.inside("n1", [...]))`; its pid is the program's own. */
  inside(name: string, argv: readonly string[]): readonly string[] {
    return ["ip", "netns", "exec", this.#get(name).namespace, ...argv];
  }

  /** Pulls its cable: it reaches nobody and nobody reaches it. */
  async unplug(name: string): Promise<void> {
    await ip("-n", this.#hub, "link", "set", this.#get(name).port, "down");
  }

  async plug(name: string): Promise<void> {
    await ip("-n", this.#hub, "link", "set", this.#get(name).port, "up");
  }

  /** What `from` sends to `to` vanishes; nobody is told. */
  async cut(from: string, to: string): Promise<void> {
    await this.#setNeighbour(from, to, NOBODY);
  }

  /** Both directions between nodes of different groups; a node that no group names is alone. */
  async partition(groups: readonly (readonly string[])[]): Promise<void> {
    for (const from of this.#spaces.keys()) {
      for (const to of this.#spaces.keys()) {
        const isTogether = groups.some((group) => group.includes(from) && group.includes(to));
        if (from !== to) await this.#setNeighbour(from, to, isTogether ? this.#get(to).hardwareAddress : NOBODY);
      }
    }
  }

  /** Plugs every cable in and ends every cut. */
  async heal(): Promise<void> {
    for (const name of this.#spaces.keys()) await this.plug(name);
    await this.partition([[...this.#spaces.keys()]]);
  }

  /** Takes everything away, also what is half set up. */
  async [Symbol.asyncDispose](): Promise<void> {
    const namespaces = [...this.#spaces.values()].map((space) => space.namespace);
    for (const namespace of [...namespaces, this.#hub]) await ip("netns", "delete", namespace).catch(() => {});
    this.#spaces.clear();
  }

  async #add(name: string, prefix: string, number: number): Promise<void> {
    const hex = number.toString(16).padStart(2, "0");
    const space: Space = {
      namespace: `${prefix}-${number}`,
      port: `port${number}`,
      address: `10.77.0.${number}`,
      hardwareAddress: `02:00:00:00:01:${hex}`,
    };
    await ip("netns", "add", space.namespace);
    this.#spaces.set(name, space);
    const cable = ["type", "veth", "peer", "name", "eth0", "netns", space.namespace, "address", space.hardwareAddress];
    await ip("-n", this.#hub, "link", "add", space.port, ...cable);
    await ip("-n", this.#hub, "link", "set", space.port, "master", "bridge", "up");
    await ip("-n", space.namespace, "address", "add", `${space.address}/24`, "dev", "eth0");
    await ip("-n", space.namespace, "link", "set", "lo", "up");
    await ip("-n", space.namespace, "link", "set", "eth0", "up");
  }

  /** A neighbour whose hardware address nobody has swallows packets silently, which a route would not. */
  async #setNeighbour(from: string, to: string, hardwareAddress: string): Promise<void> {
    const { namespace } = this.#get(from);
    const entry = ["lladdr", hardwareAddress, "dev", "eth0", "nud", "permanent"];
    await ip("-n", namespace, "neighbour", "replace", this.#get(to).address, ...entry);
  }

  #get(name: string): Space {
    const space = this.#spaces.get(name);
    if (space === undefined) throw new RangeError(`Cannot find network namespace "${name}"`);
    return space;
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await run("ip", args, { timeout: 10_000 });
}

/** Network namespaces joined by a bridge, for real partitions between processes of one machine; needs root on Linux. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Space {
  /** Name in `ip netns`. */
  readonly namespace: string;
  /** Its port on the bridge. */
  readonly port: string;
  readonly address: string;
  readonly hardwareAddress: string;
}

/** An address that no interface has: packets to it are lost. */
const NOBODY = "02:00:00:00:00:fe";

/**
 * Why namespaces cannot be used here, or undefined. Tries it, since containers restrict root in different ways.
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
 * Each name becomes a machine with an address in 10.77.0.0/24 and loopback. The bridge is in a namespace too, so the
 * machine's own network does not change. Dispose it (`await using`) after the programs in it ended.
 */
export class NetworkNamespaces implements AsyncDisposable {
  readonly #hub: string;
  readonly #spaces = new Map<string, Space>();

  private constructor(hub: string) {
    this.#hub = hub;
  }

  /** @throws {Error} with the output of `ip`, after cleaning up */
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

  /** The same command inside the namespace: `startChild(spaces.inside("n1", [...]))`; its pid is the program's own. */
  inside(name: string, argv: readonly string[]): readonly string[] {
    return ["ip", "netns", "exec", this.#get(name).namespace, ...argv];
  }

  /** Disconnects it in both directions. */
  async unplug(name: string): Promise<void> {
    await ip("-n", this.#hub, "link", "set", this.#get(name).port, "down");
  }

  async plug(name: string): Promise<void> {
    await ip("-n", this.#hub, "link", "set", this.#get(name).port, "up");
  }

  /** Packets from `from` to `to` are lost silently. */
  async cut(from: string, to: string): Promise<void> {
    await this.#setNeighbour(from, to, NOBODY);
  }

  /** Cuts both directions between nodes of different groups; a node in no group is alone. */
  async partition(groups: readonly (readonly string[])[]): Promise<void> {
    for (const from of this.#spaces.keys()) {
      for (const to of this.#spaces.keys()) {
        const isTogether = groups.some((group) => group.includes(from) && group.includes(to));
        if (from !== to) await this.#setNeighbour(from, to, isTogether ? this.#get(to).hardwareAddress : NOBODY);
      }
    }
  }

  /** Reconnects every machine and ends every cut. */
  async heal(): Promise<void> {
    for (const name of this.#spaces.keys()) await this.plug(name);
    await this.partition([[...this.#spaces.keys()]]);
  }

  /** Removes everything, even after a partial set-up. */
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

  /** A neighbour entry with an unused hardware address drops packets silently; a route would report an error. */
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

/** Resolves the configured seeds: a name stands for all its addresses, and is looked up repeatedly. */
import { isIP } from "node:net";
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { formatAddress, type HostAndPort } from "@sluice/runtime/sockets/host-and-port";

/** A node that the operator configured to be dialled. */
export interface Seed extends HostAndPort {
  readonly properties: Readonly<Record<string, string>>;
}

/** Finds all addresses of a host; rejects if there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Short enough to follow a changed name within a minute, long enough not to burden a name server. */
const AGAIN = 15_000 as Millis;
const BACKOFF = { first: 500 as Millis, cap: 15_000 as Millis, factor: 2 };

export interface SeedAddressesOptions {
  readonly seeds: readonly Seed[];
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** `host:port` of all seeds; called when they change. */
  readonly changed: (addresses: readonly string[]) => void;
}

interface Lookup {
  readonly seed: Seed;
  addresses: readonly string[];
  timer: Timer | undefined;
  /** Why it has no address; reported when it changes. */
  trouble: string | undefined;
}

export class SeedAddresses implements Disposable {
  readonly #options: SeedAddressesOptions;
  readonly #lookups: readonly Lookup[];
  #told: readonly string[] = [];
  #isOver = false;

  constructor(options: SeedAddressesOptions) {
    this.#options = options;
    this.#lookups = options.seeds.map((seed) => ({ seed, addresses: [], timer: undefined, trouble: undefined }));
  }

  start(): void {
    const { random } = this.#options;
    for (const lookup of this.#lookups) {
      if (isIP(lookup.seed.host) !== 0) lookup.addresses = [formatAddress(lookup.seed)];
      else void this.#look(lookup, new Backoff({ ...BACKOFF, random }));
    }
    this.#tell();
  }

  /** The seed of a `host:port`, as last resolved or as written. */
  findSeed(address: string): Seed | undefined {
    return this.#lookups.find(({ seed, addresses }) => addresses.includes(address) || formatAddress(seed) === address)
      ?.seed;
  }

  /** Every seed with its present addresses. */
  get all(): readonly { readonly seed: Seed; readonly addresses: readonly string[] }[] {
    return this.#lookups;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const { timer } of this.#lookups) timer?.cancel();
  }

  async #look(lookup: Lookup, backoff: Backoff): Promise<void> {
    const { resolve, clock, random } = this.#options;
    const { host, port } = lookup.seed;
    let wait = (AGAIN / 2 + (AGAIN / 2) * random()) as Millis;
    try {
      const found = await resolve(host);
      const addresses = [...new Set(found)].sort().map((address) => formatAddress({ host: address, port }));
      if (this.#isOver) return;
      backoff.reset();
      this.#noteTrouble(lookup, undefined);
      lookup.addresses = addresses;
    } catch (error) {
      if (this.#isOver) return;
      wait = backoff.next();
      this.#noteTrouble(lookup, (error as Error).message); // its earlier addresses are still worth a try
    }
    this.#tell();
    lookup.timer = clock.after(wait, () => void this.#look(lookup, backoff));
  }

  #noteTrouble(lookup: Lookup, trouble: string | undefined): void {
    if (lookup.trouble === trouble) return;
    lookup.trouble = trouble;
    const address = formatAddress(lookup.seed);
    if (trouble !== undefined) this.#options.log.warn({ address, reason: trouble }, "Cannot look up seed");
  }

  #tell(): void {
    const addresses = [...new Set(this.#lookups.flatMap((lookup) => lookup.addresses))];
    if (addresses.join() === this.#told.join()) return;
    this.#told = addresses;
    this.#options.changed(addresses);
  }
}

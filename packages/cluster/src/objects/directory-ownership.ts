/** The directory as shared objects see it: which node is the home of an object, where one without a home belongs, and this node's claims. */
import type { Millis } from "@sluice/base/brand";
import type { Claim, ClaimWish, Ownership } from "@sluice/state/ports";
import { type Directory, DirectoryFullError } from "../directory/directory.ts";
import { BY_HASH, place } from "../placement.ts";

export interface DirectoryOwnershipOptions {
  readonly self: string;
  /** An edge follows, and is neither home nor standby. */
  readonly isOrigin: boolean;
  /** Ids of the origins that are there, this node included where it is one. */
  readonly origins: () => readonly string[];
}

/** Until `open` there is no home and no place for one: objects wait, and refuse what has waited for too long. */
export class DirectoryOwnership implements Ownership {
  readonly self: string;
  readonly #options: DirectoryOwnershipOptions;
  readonly #listeners = new Set<(path: string) => void>();
  #directory: Directory | undefined;

  constructor(options: DirectoryOwnershipOptions) {
    this.self = options.self;
    this.#options = options;
  }

  /** The engine has been reached. */
  open(directory: Directory): void {
    this.#directory = directory;
    directory.view.onChange((change) => {
      if (change.type !== "home" || change.kind !== "object") return;
      for (const listener of this.#listeners) listener(change.key);
    });
  }

  get mayBeHome(): boolean {
    return this.#options.isOrigin && this.#directory !== undefined;
  }

  findHome(path: string): ReturnType<Ownership["findHome"]> {
    const home = this.#directory?.findHome("object", path);
    return home?.isConfirmed === true ? { node: home.home, epoch: home.epoch } : undefined;
  }

  /** By rendezvous hashing: with a node that comes or goes only its own objects change their place. */
  place(path: string, except: readonly string[]): string | undefined {
    if (this.#directory === undefined) return undefined;
    const { view } = this.#directory;
    const isKnown = (id: string): boolean => id === this.self || !view.wasCurrent || view.findNode(id) !== undefined;
    const eligible = this.#options.origins().filter((id) => !except.includes(id) && isKnown(id));
    const candidates = eligible.map((id) => ({ id, heat: 0, homeCount: 0 }));
    return place(BY_HASH, { key: path, present: undefined, loadToCome: 0 }, candidates);
  }

  /** A claim that the directory has no room for is lost at once, as one is that another node was faster with. */
  claim(path: string, wish: ClaimWish): Claim {
    try {
      return this.#directory?.claimObject(path, wish) ?? NO_CLAIM;
    } catch (error) {
      if (error instanceof DirectoryFullError) return NO_CLAIM;
      throw error;
    }
  }

  confirmedAt(): Millis | undefined {
    const lease = this.#directory?.homesLease;
    return lease && ((lease.validUntil - lease.ttl) as Millis);
  }

  onChange(listener: (path: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

const NO_CLAIM: Claim = {
  state: { at: "lost" },
  mayAcknowledge: false,
  onChange: () => ({ [Symbol.dispose]() {} }),
  freeze: () => undefined,
  resume() {},
  release() {},
};

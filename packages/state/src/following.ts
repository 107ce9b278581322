/** A replica's side of the dialogue with its home: who that is, whether it answers, and what it was told of clients. */
import type { Epoch } from "@sluice/engine/epoch";
import type { Asked } from "./outstanding.ts";
import type { Position } from "./position.ts";
import type { ReplicaMessage } from "./wire/object-message.ts";

/** Why a node follows: its own clients, or as the standby alone. */
export type Interest = "clients" | "standby";

type State =
  | { readonly at: "seeking" }
  /** Asked, and not taken yet: changes that come now are of an earlier attachment. */
  | { readonly at: "attaching"; readonly home: string; readonly interest: Interest }
  /** @property told  clients that the home knows */
  | { readonly at: "attached"; readonly home: string; readonly interest: Interest; readonly told: Set<string> };

export interface FollowingOptions {
  readonly path: string;
  readonly send: (node: string, message: ReplicaMessage) => void;
}

export class Following {
  readonly #options: FollowingOptions;
  #state: State = { at: "seeking" };

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  get at(): State["at"] {
    return this.#state.at;
  }

  /** Asked or attached to. */
  get home(): string | undefined {
    return this.#state.at === "seeking" ? undefined : this.#state.home;
  }

  get interest(): Interest | undefined {
    return this.#state.at === "seeking" ? undefined : this.#state.interest;
  }

  /** @param position  where the copy stands; undefined: there is none */
  attach(home: string, interest: Interest, position: Position | undefined, historyFrom: Position | undefined): void {
    this.#state = { at: "attaching", home, interest };
    this.#options.send(home, { type: "attach", path: this.#options.path, interest, position, historyFrom });
  }

  /** The home takes requests, and knows no client yet. */
  attached(): void {
    if (this.#state.at === "seeking") return;
    const { home, interest } = this.#state;
    this.#state = { at: "attached", home, interest, told: new Set() };
  }

  /** The home is gone, or cannot be reached. */
  lose(): void {
    this.#state = { at: "seeking" };
  }

  /** Nothing is wanted any more. */
  detach(): void {
    if (this.#state.at !== "seeking")
      this.#options.send(this.#state.home, { type: "detach", path: this.#options.path });
    this.lose();
  }

  /** @returns false where no home takes it now */
  ask({ request, since, isRetry }: Asked): boolean {
    if (this.#state.at !== "attached") return false;
    const { path, send } = this.#options;
    const { home, told } = this.#state;
    const { client } = request.id;
    const who = told.has(client) ? undefined : request.who;
    told.add(client);
    if (request.type === "connect") send(home, { ...request, path });
    else send(home, { ...request, path, who, since, isRetry });
    return true;
  }

  /**
   * Also of a client that this home was not told of: it may have locked at the one before.
   * @returns false where no home hears it now
   */
  leave(client: string): boolean {
    if (this.#state.at !== "attached") return false;
    this.#state.told.delete(client);
    this.#options.send(this.#state.home, { type: "leave", path: this.#options.path, client });
    return true;
  }

  acknowledge(epoch: Epoch, position: Position): void {
    if (this.#state.at !== "attached") return;
    this.#options.send(this.#state.home, { type: "ack", path: this.#options.path, epoch, position });
  }
}

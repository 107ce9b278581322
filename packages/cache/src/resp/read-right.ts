/** Whether a read may be answered from the present state: asked of the store, and cached for a few reads. */
import type { ClientState } from "./client-state.ts";
import type { CommandStore } from "./command-backend.ts";
import { CommandRefusal } from "./errors.ts";
import { failureText, STALE_READ_TEXT } from "./failure-text.ts";

/** Reads of one arrival covered by one check of the lease: together far shorter than the reserve of the lease. */
const READS_PER_LOOK = 32;

/** Position in the client's input, counted from its first byte. */
interface Progress {
  readonly arrivedBytes: number;
  readonly consumedBytes: number;
}

export class ReadRight {
  readonly #store: CommandStore;
  readonly #client: ClientState;
  #left = 0;
  /** Requests up to here had arrived when the leader began to confirm itself. */
  #confirmedBytes = 0;
  #confirmingBytes = 0;

  constructor(store: CommandStore, client: ClientState) {
    this.#store = store;
    this.#client = client;
  }

  /** The next read must check again. */
  forget(): void {
    this.#left = 0;
  }

  /** What `isGranted` refused has been confirmed. */
  confirm(): void {
    this.#confirmedBytes = this.#confirmingBytes;
  }

  /**
   * @returns false if the leader must be confirmed first
   * @throws {CommandRefusal} on a follower, unless the client accepts stale reads, and on a removed member
   */
  isGranted(progress: Progress): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    const standing = this.#store.readStanding();
    if (standing === "confirm") return this.#isConfirmed(progress);
    if (standing === "removed") throw new CommandRefusal({ reply: failureText("removed") });
    if (standing !== "now" && !this.#client.acceptsStale) {
      throw new CommandRefusal({ reply: standing === "not-leader" ? STALE_READ_TEXT : failureText("no-leader") });
    }
    this.#left = READS_PER_LOOK - 1;
    return true;
  }

  #isConfirmed({ arrivedBytes, consumedBytes }: Progress): boolean {
    if (consumedBytes <= this.#confirmedBytes) return true;
    this.#confirmingBytes = arrivedBytes;
    return false;
  }
}

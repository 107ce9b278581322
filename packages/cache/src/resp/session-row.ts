/** The CLIENT LIST row of one session. */
import type { Millis } from "@sluice/base/brand";
import type { ClientState } from "./client-state.ts";
import type { ClientRow } from "./command-backend.ts";
import { USER } from "./password.ts";

export interface SessionAddress {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  /** Monotonic time of its start. */
  readonly now: Millis;
}

/** Figures that only the session knows. */
export interface SessionFigures {
  readonly protocol: 2 | 3;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

export class SessionRow implements ClientRow {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly openedAt: Millis;
  readonly user = USER;
  lastCommand = "NULL";
  lastActiveAt: Millis;
  readonly #client: ClientState;
  readonly #figures: SessionFigures;

  constructor({ id, address, localAddress, now }: SessionAddress, client: ClientState, figures: SessionFigures) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.openedAt = now;
    this.lastActiveAt = now;
    this.#client = client;
    this.#figures = figures;
  }

  get name(): string {
    return this.#client.name;
  }

  get library(): string {
    return this.#client.library;
  }

  get libraryVersion(): string {
    return this.#client.libraryVersion;
  }

  get database(): number {
    return this.#client.database;
  }

  get subscriptionCount(): number {
    return this.#client.subscriptionCount;
  }

  get queuedCommands(): number | undefined {
    return this.#client.transaction?.count;
  }

  get protocol(): 2 | 3 {
    return this.#figures.protocol;
  }

  get inputBytes(): number {
    return this.#figures.inputBytes;
  }

  get outputBytes(): number {
    return this.#figures.outputBytes;
  }
}

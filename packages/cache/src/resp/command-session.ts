/** One RESP client's dialogue: bytes in, replies out in the order of the requests, whatever had to wait for the log. */
import type { Millis } from "@sluice/base/brand";
import type { OperationAnswer } from "../state/operation.ts";
import type { ClientRow, CommandBackend, CommandSink, StoreFailure } from "./command-backend.ts";
import type { RespLimits } from "./limits.ts";

export interface CommandSessionOptions {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly backend: CommandBackend;
  /** Of user `default`; without one no AUTH is needed. */
  readonly password?: string | undefined;
  readonly limits?: RespLimits;
  /** Monotonic, now. */
  readonly now: Millis;
}

/** Why the owner should close the socket once `nextOutput` is empty. */
export type SessionEnd = "quit" | "killed" | "protocol-error" | "limit";

/**
 * The loop around it: `receive` what arrives, then write `nextOutput` until it is empty; the same after any answer
 * through `CommandSink`. Take output only while the socket takes it: the session then stops by itself.
 */
export class CommandSession implements CommandSink, ClientRow {
  readonly id: number = 0;
  readonly address: string = "";
  readonly localAddress: string = "";
  readonly name: string = "";
  readonly library: string = "";
  readonly libraryVersion: string = "";
  readonly database: number = 0;
  readonly protocol: 2 | 3 = 2;
  readonly user: string = "default";
  readonly subscriptionCount: number = 0;
  readonly lastCommand: string = "";
  readonly openedAt: Millis = 0 as Millis;
  readonly lastActiveAt: Millis = 0 as Millis;
  readonly inputBytes: number = 0;
  readonly outputBytes: number = 0;

  constructor(options: CommandSessionOptions) {
    throw new Error(`Not built yet: ${options.id}`);
  }

  /** Bytes as they arrived, in any split. They belong to the session until they were executed: do not reuse them. */
  receive(bytes: Uint8Array, now: Millis): void {
    throw new Error(`Not built yet: ${bytes.length} ${now}`);
  }

  /** All replies that are ready, joined; `undefined` when there are none. Executes on what waited for room. */
  nextOutput(): Uint8Array | undefined {
    throw new Error("Not built yet");
  }

  /** Enough is waiting: stop reading from the socket until this is false again. */
  get isPaused(): boolean {
    return false;
  }

  /** Set once the session is over. */
  get ended(): SessionEnd | undefined {
    return undefined;
  }

  /** Over at once; nothing more is answered. For CLIENT KILL (with what is owed sent first) and for a socket that closed. */
  end(reason: SessionEnd): void {
    throw new Error(`Not built yet: ${reason}`);
  }

  /** Tells a subscriber; ignored when it is not subscribed. The owner calls it for `+switch-master` on a new leader. */
  publish(channel: string, message: string): void {
    throw new Error(`Not built yet: ${channel} ${message}`);
  }

  answered(ticket: number, answer: OperationAnswer): void {
    throw new Error(`Not built yet: ${ticket} ${answer.type}`);
  }

  failed(ticket: number, failure: StoreFailure): void {
    throw new Error(`Not built yet: ${ticket} ${failure}`);
  }

  confirmed(ticket: number): void {
    throw new Error(`Not built yet: ${ticket}`);
  }

  replicated(ticket: number, count: number): void {
    throw new Error(`Not built yet: ${ticket} ${count}`);
  }
}

/** Definition of a command: its name and arity, what it may use, and how it executes one request. */
import type { Millis } from "@sluice/base/brand";
import type { Operation, OperationAnswer } from "../state/operation.ts";
import type { ClientState } from "./client-state.ts";
import type { ClientRow, CommandBackend } from "./command-backend.ts";
import type { RespLimits } from "./limits.ts";
import type { RespRequest } from "./request.ts";
import type { RespWriter } from "./resp-writer.ts";

/** Writes the reply once a write was answered. */
export type ReplyForm = (reply: RespWriter, answer: OperationAnswer) => void;

/** Several operations with one reply: the last one writes it, and an error of any is the error of all. */
export class ReplyGroup {
  error: string | undefined;
}

export interface Piece {
  readonly group: ReplyGroup;
  readonly isLast: boolean;
}

/** A command that takes more than one turn. */
export interface LongCommand {
  /** Executes one piece. @returns whether it was the last: everything is replied or proposed. @throws {CommandRefusal} */
  goOn(): boolean;
  /** Bytes that it holds for its reply. */
  readonly heldBytes: number;
}

/** One request as a command sees it. The request and views of it are valid until `run` returns. */
export interface CommandCall {
  readonly request: RespRequest;
  readonly reply: RespWriter;
  readonly client: ClientState;
  readonly backend: CommandBackend;
  readonly row: ClientRow;
  readonly limits: RespLimits;
  /** The clock for expiry. */
  readonly wall: Millis;
  /** Looks up the command of another request. @throws {CommandRefusal} */
  commandOf(request: RespRequest): Command;
  /** Proposes; the reply is written in order. Write no other reply. */
  propose(operation: Operation, form: ReplyForm): void;
  /**
   * The same for a set without condition or expiry, with less work.
   * @param key  index of the word; the value follows it
   * @returns false if only `propose` can express it; nothing was done then
   */
  proposePlainSet(key: number, form: ReplyForm): boolean;
  /** Proposes one of several operations that share a reply; only the form of the last one writes it. */
  proposePiece(operation: Operation, form: ReplyForm, piece: Piece): void;
  /** Adds work beyond one unit per word of the request, in units of about a microsecond. */
  spend(work: number): void;
  /** Call before a write whose answer will hold a value of about this size: waits until there is room for it. */
  expectValue(bytes: number): void;
  /** Whether it may continue in later turns; otherwise it must finish in one. */
  readonly mayGoOn: boolean;
  /** Continues in later turns of the event loop; no other request of this client is executed before. */
  goOn(long: LongCommand): void;
  /** Replies with a count, once that many replicas hold what was written before, or after the timeout. */
  waitForReplicas(count: number, timeout: Millis): void;
  /** @returns whether the password is right; true if none is required. @param password  as sent */
  authenticate(user: string, password: string): boolean;
  readonly needsPassword: boolean;
  /** Ends the session after its replies. */
  quit(): void;
}

/**
 * `read`: reads the state after all acknowledged writes. `write`: proposes; several may be in progress.
 * `local`: concerns only this member and this session.
 */
export type CommandKind = "read" | "write" | "local";

export interface Command {
  /** Lower case; `container|name` for a subcommand. */
  readonly name: string;
  readonly kind: CommandKind;
  /** Words of the request including its name; negative: the minimum. */
  readonly arity: number;
  /** @throws {CommandRefusal} */
  readonly run: (call: CommandCall) => void;
  readonly group: "string" | "generic" | "connection" | "server" | "pubsub" | "transactions";
  readonly summary: string;
  /** Flags of Redis, for COMMAND. */
  readonly flags: readonly string[];
  /** First key, last key, step; zeros for none. */
  readonly keys: readonly [number, number, number];
  /** May be called before authentication. */
  readonly isOpen?: boolean;
  /** For a reading command in a transaction: proposes a look operation instead. */
  readonly look?: (call: CommandCall) => void;
  /** A local command that is allowed in a transaction. */
  readonly isQueueable?: boolean;
  /** Controls transactions, and is never a part of one. */
  readonly isControl?: boolean;
  /** Work besides its words, in units of about a microsecond; left out for commands on single keys. */
  readonly work?: number;
  /** Reads many entries: the right to read is checked again afterwards. */
  readonly isSlow?: boolean;
  /** May be called by a RESP 2 client with subscriptions. */
  readonly isForSubscribers?: boolean;
}

/** A row of a command table; the other properties have defaults. */
export type CommandRow = Pick<Command, "name" | "kind" | "arity" | "run" | "summary"> & Partial<Command>;

export function defineCommands(group: Command["group"], rows: readonly CommandRow[]): readonly Command[] {
  return rows.map((row) => ({ group, flags: defaultFlags(row), keys: [0, 0, 0] as const, ...row }));
}

function defaultFlags({ kind }: CommandRow): readonly string[] {
  if (kind === "local") return ["loading", "stale", "fast"];
  return kind === "read" ? ["readonly", "fast"] : ["write", "denyoom", "fast"];
}

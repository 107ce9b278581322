/** What a command is: how it is called, what it needs, and what it does with one request. */
import type { Millis } from "@sluice/base/brand";
import type { Operation, OperationAnswer } from "../state/operation.ts";
import type { ClientState } from "./client-state.ts";
import type { ClientRow, CommandBackend } from "./command-backend.ts";
import type { RespLimits } from "./limits.ts";
import type { RespRequest } from "./request.ts";
import type { RespWriter } from "./resp-writer.ts";

/** Writes the reply to a write, once it was answered. */
export type ReplyForm = (reply: RespWriter, answer: OperationAnswer) => void;

/** Several operations that one reply stands for: the last one writes it, and an error of any is the error of all. */
export class ReplyGroup {
  error: string | undefined;
}

export interface Piece {
  readonly group: ReplyGroup;
  readonly isLast: boolean;
}

/** A command that is too much for one turn. */
export interface LongCommand {
  /** Does one piece. @returns whether it was the last one: all is replied, or proposed. @throws {CommandRefusal} */
  goOn(): boolean;
  /** Bytes that it holds for its reply. */
  readonly heldBytes: number;
}

/** One request as a command sees it. Request and views of it hold until `run` returns. */
export interface CommandCall {
  readonly request: RespRequest;
  readonly reply: RespWriter;
  readonly client: ClientState;
  readonly backend: CommandBackend;
  readonly row: ClientRow;
  readonly limits: RespLimits;
  /** By which expiry is judged and counted. */
  readonly wall: Millis;
  /** Of another request than this. @throws {CommandRefusal} */
  commandOf(request: RespRequest): Command;
  /** Proposes; the reply follows in its turn. Nothing else may be replied. */
  propose(operation: Operation, form: ReplyForm): void;
  /**
   * The same for a set without condition or expiry, with less work.
   * @param key  index of the word; the value follows it
   * @returns false when only `propose` can say it; nothing was done then
   */
  proposePlainSet(key: number, form: ReplyForm): boolean;
  /** The same for one of several operations that one reply stands for; only the last one's form writes it. */
  proposePiece(operation: Operation, form: ReplyForm, piece: Piece): void;
  /** More work than one unit for each word of the request, in units of a microsecond or so. */
  spend(work: number): void;
  /** Before a write whose answer will hold a value of about so many bytes: waits until there is room for it. */
  expectValue(bytes: number): void;
  /** Whether it may go on in later turns; else it is done in one piece. */
  readonly mayGoOn: boolean;
  /** Goes on in later turns of the event loop; nothing else of this client is done before. */
  goOn(long: LongCommand): void;
  /** Replies with a count, once so many replicas hold what was written before or the time is over. */
  waitForReplicas(count: number, timeout: Millis): void;
  /** @param password  answers whether it is the right one; true when none is needed */
  authenticate(user: string, password: string): boolean;
  readonly needsPassword: boolean;
  /** Ends the session after its replies. */
  quit(): void;
}

/**
 * `read`: of the state as it stands behind all acknowledged writes. `write`: proposes; several may be under way.
 * `local`: of this member and this session only.
 */
export type CommandKind = "read" | "write" | "local";

export interface Command {
  /** Lower case; `container|name` for a part of another command. */
  readonly name: string;
  readonly kind: CommandKind;
  /** Words of the request, its name included; negative: at least so many. */
  readonly arity: number;
  /** @throws {CommandRefusal} */
  readonly run: (call: CommandCall) => void;
  readonly group: "string" | "generic" | "connection" | "server" | "pubsub" | "transactions";
  readonly summary: string;
  /** Redis's own words, for COMMAND. */
  readonly flags: readonly string[];
  /** First key, last key, step; zeros for none. */
  readonly keys: readonly [number, number, number];
  /** May be called before the password was said. */
  readonly isOpen?: boolean;
  /** In a transaction, for a command that reads: proposes what the log looks at in its place. */
  readonly look?: (call: CommandCall) => void;
  /** A local command that may stand in a transaction. */
  readonly isQueueable?: boolean;
  /** Steers a transaction, and is never a part of one. */
  readonly isControl?: boolean;
  /** What it costs beside its words, in units of a microsecond or so; commands on single keys leave it out. */
  readonly work?: number;
  /** Looks at many entries: the right to read is asked for again afterwards. */
  readonly isSlow?: boolean;
  /** May be called by a RESP 2 client with subscriptions. */
  readonly isForSubscribers?: boolean;
}

/** What a row of a command table says; the rest follows. */
export type CommandRow = Pick<Command, "name" | "kind" | "arity" | "run" | "summary"> & Partial<Command>;

export function defineCommands(group: Command["group"], rows: readonly CommandRow[]): readonly Command[] {
  return rows.map((row) => ({ group, flags: defaultFlags(row), keys: [0, 0, 0] as const, ...row }));
}

function defaultFlags({ kind }: CommandRow): readonly string[] {
  if (kind === "local") return ["loading", "stale", "fast"];
  return kind === "read" ? ["readonly", "fast"] : ["write", "denyoom", "fast"];
}

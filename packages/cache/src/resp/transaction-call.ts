/** The call of commands during EXEC: their operations are collected, not proposed. */
import type { Millis } from "@sluice/base/brand";
import type { Operation, OperationAnswer, TransactionPart } from "../state/operation.ts";
import type { ClientState } from "./client-state.ts";
import type { Command, CommandCall, LongCommand, Piece, ReplyForm } from "./command.ts";
import type { ClientRow, CommandBackend } from "./command-backend.ts";
import { CommandRefusal, refuse } from "./errors.ts";
import type { RespLimits } from "./limits.ts";
import type { RespRequest } from "./request.ts";
import { RespWriter } from "./resp-writer.ts";
import type { Transaction } from "./transaction.ts";

/** Cost of keeping a command, running it and writing its reply, besides its words. */
const WORK_PER_COMMAND = 4;

/** One reply within the reply of EXEC, from the answers of its parts. */
type PartReply = (reply: RespWriter, answers: Iterator<OperationAnswer>) => void;

export class TransactionCall implements CommandCall {
  readonly reply: RespWriter;
  readonly client: ClientState;
  readonly backend: CommandBackend;
  readonly row: ClientRow;
  readonly limits: RespLimits;
  readonly wall: Millis;
  readonly needsPassword: boolean;
  readonly mayGoOn = false;
  readonly parts: TransactionPart[] = [];
  readonly #outer: CommandCall;
  readonly #replies: PartReply[] = [];
  #request: RespRequest;

  constructor(outer: CommandCall) {
    this.#outer = outer;
    this.#request = outer.request;
    this.client = outer.client;
    this.backend = outer.backend;
    this.row = outer.row;
    this.limits = outer.limits;
    this.wall = outer.wall;
    this.needsPassword = outer.needsPassword;
    this.reply = new RespWriter(() => refuse("ERR the reply is too large"));
    this.reply.protocol = outer.reply.protocol;
  }

  get request(): RespRequest {
    return this.#request;
  }

  runAll({ requests }: Transaction): void {
    for (const request of requests) this.#run(request);
  }

  /** Writes the reply of EXEC. @param undo  called when a watched key has changed */
  answer(reply: RespWriter, answer: OperationAnswer, undo: () => void): void {
    if (answer.type !== "batch") {
      undo();
      if (answer.type === "kept") reply.noList();
      else reply.error("ERR the transaction is larger than one operation of the log may be");
      return;
    }
    const answers = answer.answers.values();
    reply.array(this.#replies.length);
    for (const one of this.#replies) one(reply, answers);
  }

  commandOf(request: RespRequest): Command {
    return this.#outer.commandOf(request);
  }

  propose(operation: Operation, form: ReplyForm): void {
    this.parts.push(operation as TransactionPart);
    this.#replies.push((reply, answers) => form(reply, nextOf(answers)));
  }

  proposePlainSet(): boolean {
    return false;
  }

  proposePiece(operation: Operation, form: ReplyForm, { isLast }: Piece): void {
    if (isLast) return this.propose(operation, form);
    throw new TypeError("A transaction is done in one piece");
  }

  spend(work: number): void {
    this.#outer.spend(work);
  }

  expectValue(bytes: number): void {
    this.#outer.expectValue(bytes);
  }

  goOn(_long: LongCommand): void {
    throw new TypeError("A transaction is done in one piece");
  }

  waitForReplicas(): void {
    refuse("ERR WAIT is not possible in a transaction here");
  }

  authenticate(): boolean {
    return false;
  }

  quit(): void {}

  #run(request: RespRequest): void {
    this.#request = request;
    this.spend(WORK_PER_COMMAND + request.count);
    const command = this.commandOf(request);
    const count = this.#replies.length;
    try {
      (command.look ?? command.run)(this);
    } catch (error) {
      if (!(error instanceof CommandRefusal)) throw error;
      this.reply.rewind(0);
      this.reply.error(error.context.reply);
    }
    if (this.#replies.length === count) this.#keepReply();
  }

  /** For a command without an operation. */
  #keepReply(): void {
    const pieces: Uint8Array[] = [];
    for (let bytes = this.reply.take(); bytes !== undefined; bytes = this.reply.take()) pieces.push(bytes);
    this.#replies.push((reply) => {
      for (const piece of pieces) reply.whole(piece);
    });
  }
}

function nextOf(answers: Iterator<OperationAnswer>): OperationAnswer {
  const { done, value } = answers.next();
  if (done === true) throw new TypeError("A transaction was answered with too few answers");
  return value;
}

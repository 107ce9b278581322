/** The session of one RESP client: bytes in, replies out in the order of the requests, even if some wait for the log. */
import type { Millis } from "@sluice/base/brand";
import type { OperationAnswer } from "../state/operation.ts";
import { workOfBytes } from "../state/work.ts";
import { ClientState } from "./client-state.ts";
import type { Command } from "./command.ts";
import type { CommandBackend, CommandSink, StoreFailure } from "./command-backend.ts";
import { CommandTable } from "./command-table.ts";
import { CommandRefusal, OtherProtocolError, refuse, ReplyHeld, RespProtocolError, EXEC_ABORTED } from "./errors.ts";
import { failureText } from "./failure-text.ts";
import { DEFAULT_RESP_LIMITS, type RespLimits } from "./limits.ts";
import { Password } from "./password.ts";
import { publishTo } from "./publishing.ts";
import { ReadRight } from "./read-right.ts";
import type { RespRequest } from "./request.ts";
import { RespParser } from "./resp-parser.ts";
import { SessionCall } from "./session-call.ts";
import { type SessionAddress, type SessionFigures, SessionRow } from "./session-row.ts";
import { WorkTurn } from "./work-turn.ts";

export interface CommandSessionOptions extends SessionAddress {
  readonly backend: CommandBackend;
  /** Sharing one among all sessions of a listener saves memory. */
  readonly commands?: CommandTable;
  /** Password of user `default`; without one no AUTH is needed. */
  readonly password?: string | undefined;
  readonly limits?: RespLimits;
  /** Shared by all sessions of a listener, which restarts it in every turn of the event loop; left out: no limit. */
  readonly turn?: WorkTurn;
}

/** Why the owner should close the socket once `nextOutput` is empty. */
export type SessionEnd = "quit" | "killed" | "protocol-error" | "speaks-http" | "speaks-tls" | "does-not-read";

const SUBSCRIBER_TEXT = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
const PRESSED_TEXT = "TRYAGAIN The clients of this member together hold too much: nothing was done";

/**
 * The loop around it: `receive` what arrives, then write `nextOutput` until it is empty; the same after any answer
 * through `CommandSink`. Take output only while the socket accepts it: the session then stops by itself. While `isDue`,
 * call `goOn` in a later turn.
 */
export class CommandSession implements CommandSink, SessionFigures {
  readonly row: SessionRow;
  readonly #call: SessionCall;
  readonly #client: ClientState;
  readonly #commands: CommandTable;
  readonly #limits: RespLimits;
  readonly #turn: WorkTurn;
  readonly #parser: RespParser;
  readonly #reading: ReadRight;
  /** The first request waits until nothing is pending. */
  #isStalled = false;
  /** The first request waits for room for its reply. */
  #isHeld = false;
  #isDue = false;
  #ending: SessionEnd | undefined;

  constructor({
    limits = DEFAULT_RESP_LIMITS,
    commands = new CommandTable(),
    turn = new WorkTurn({ turnWork: Number.POSITIVE_INFINITY, clientWork: Number.POSITIVE_INFINITY }),
    ...options
  }: CommandSessionOptions) {
    this.#commands = commands;
    this.#limits = limits;
    this.#turn = turn;
    const { backend } = options;
    const password = new Password(options.password);
    const client = new ClientState({ isAuthenticated: !password.isNeeded });
    this.#client = client;
    this.row = new SessionRow(options, client, this);
    this.#call = new SessionCall({ sink: this, row: this.row, backend, client, password, commands, limits });
    this.#parser = new RespParser(limits);
    this.#reading = new ReadRight(backend.store, client);
  }

  /** Bytes as they arrived, in any split. The session owns them until they are executed: do not reuse them. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.#ending !== undefined) return;
    this.row.lastActiveAt = now;
    this.#parser.offer(bytes);
    this.#execute();
    if (!this.#call.isPressed || this.#parser.unfinishedBytes <= this.#limits.pressedBytes) return;
    this.#parser.abandon(PRESSED_TEXT);
    this.#execute();
  }

  /** Ready replies, up to `most` bytes; `undefined` when there are none. Then continues requests that waited for room. */
  nextOutput(most?: number): Uint8Array | undefined {
    const { reply } = this.#call;
    if (this.#isHeld && reply.length === 0) this.#execute();
    const hadRoom = this.#call.hasRoom;
    const output = reply.take(most);
    if (!hadRoom && this.#call.hasRoom) this.#execute();
    return output;
  }

  /** More work is ready for this client's next turn. */
  get isDue(): boolean {
    return this.#isDue;
  }

  goOn(): void {
    if (this.#ending === undefined) this.#execute();
  }

  /** While all clients together hold too much, makes no large reply and accepts no large request. */
  press(isPressed: boolean): void {
    this.#call.press(isPressed);
  }

  /** Enough input is waiting: stop reading from the socket until this is false again. */
  get isPaused(): boolean {
    if (this.#ending !== undefined) return false; // further input is discarded
    const { waitingInputBytes, unreadInputBytes, pressedBytes } = this.#limits;
    const waiting = this.#parser.bufferedBytes;
    if (waiting <= (this.#call.isPressed ? pressedBytes : waitingInputBytes)) return false;
    if (this.isBusy) return true;
    if (this.#call.hasRoom && !this.#isHeld) return false;
    return this.#call.isPressed || waiting > unreadInputBytes;
  }

  /** Set once the session is over, and all its replies are ready. */
  get ended(): SessionEnd | undefined {
    return this.isBusy ? undefined : this.#ending;
  }

  /** A request still waits for its answer; incomplete input does not count. */
  get isBusy(): boolean {
    return this.#call.pending.count > 0 || this.#call.blockedBy !== 0 || this.#call.long !== undefined || this.#isDue;
  }

  /** Ends at once without answering what waits. For CLIENT KILL, and for a closed socket. */
  end(reason: SessionEnd): void {
    this.#ending = reason;
    this.#isDue = false;
    this.#call.blockedBy = 0;
    this.#call.long = undefined;
    this.#call.pending.drop();
    this.#client.watched.clear();
    this.#parser.clear();
  }

  /** The same, with a final error after all ready replies. */
  endWith(reason: SessionEnd, error: string): void {
    if (this.#ending !== undefined) return;
    this.end(reason);
    this.#call.reply.error(error);
  }

  /** Notifies a subscriber; ignored without a subscription. The owner calls it for `+switch-master` on a new leader. */
  publish(channel: string, message: string): void {
    if (this.#ending === undefined) publishTo(this.#client, this.#call.reply, channel, message);
  }

  answered(ticket: number, answer: OperationAnswer): void {
    this.#call.pending.settle(ticket, answer);
    this.#resume();
  }

  failed(ticket: number, failure: StoreFailure): void {
    if (ticket !== this.#call.blockedBy) this.#call.pending.settle(ticket, failureText(failure));
    else this.#unblock(() => this.#call.reply.error(failureText(failure)));
    this.#resume();
  }

  confirmed(ticket: number): void {
    if (ticket !== this.#call.blockedBy) return;
    this.#call.blockedBy = 0;
    this.#reading.confirm();
    this.#resume();
  }

  replicated(ticket: number, count: number): void {
    if (ticket !== this.#call.blockedBy) return;
    this.#unblock(() => this.#call.reply.integer(count));
    this.#resume();
  }

  get isAuthenticated(): boolean {
    return this.#client.isAuthenticated;
  }

  get protocol(): 2 | 3 {
    return this.#call.reply.protocol;
  }

  get inputBytes(): number {
    return this.#parser.bufferedBytes + (this.#client.transaction?.byteCount ?? 0);
  }

  get outputBytes(): number {
    return this.#call.reply.length + (this.#call.long?.heldBytes ?? 0);
  }

  #mayGoOn(): boolean {
    const { pending, blockedBy, hasRoom } = this.#call;
    if (this.#ending !== undefined || blockedBy !== 0 || this.#isStalled || this.#isHeld) return false;
    return pending.count < this.#limits.pendingRequests && hasRoom;
  }

  #resume(): void {
    const isWaiting = this.#isStalled && this.#call.pending.count > 0;
    if ((this.#parser.bufferedBytes > 0 || this.#call.long !== undefined) && !isWaiting) this.#execute();
  }

  #unblock(reply: () => void): void {
    this.#call.blockedBy = 0;
    reply();
    this.#parser.release();
  }

  #execute(): void {
    this.#call.wall = this.#call.backend.store.wall();
    this.#reading.forget();
    this.#isStalled = false;
    this.#isHeld = false;
    this.#isDue = false;
    this.#parser.isTrusted = this.#client.isAuthenticated;
    try {
      this.#executeAll();
    } catch (error) {
      this.#fail(error);
    }
  }

  #executeAll(): void {
    const most = Math.min(this.#turn.clientWork, this.#turn.left);
    const bytes = this.#movedBytes;
    let work = 0;
    this.#call.extraWork = 0;
    try {
      while (this.#mayGoOn()) {
        const request = this.#parser.next();
        if (request === undefined) return;
        if (work + this.#call.extraWork >= most) {
          this.#isDue = true;
          return;
        }
        work += this.#call.long === undefined ? 1 + request.count : this.#limits.keysInPiece;
        if (this.#call.long === undefined) this.#carryOut(request);
        else this.#goOnLong();
      }
    } finally {
      this.#turn.spend(work + this.#call.extraWork + workOfBytes(this.#movedBytes - bytes));
    }
  }

  /** Bytes of executed requests and of replies; only differences are meaningful, while no output is taken. */
  get #movedBytes(): number {
    return this.#parser.consumedBytes + this.#call.reply.length;
  }

  #fail(error: unknown): void {
    if (error instanceof RespProtocolError) {
      this.#call.pending.addError(`ERR Protocol error: ${error.context.problem}`);
      this.#ending = "protocol-error";
    } else if (error instanceof OtherProtocolError) {
      const { protocol } = error.context;
      this.#call.pending.addError(`ERR Protocol error: this port speaks RESP, not ${protocol}`);
      this.#ending = protocol === "HTTP" ? "speaks-http" : "speaks-tls";
    } else throw error;
    this.#parser.clear();
  }

  /** Leaves the request in place when it has to wait. */
  #carryOut(request: RespRequest): void {
    const call = this.#call;
    call.request = request;
    const replied = call.reply.length;
    call.boundReply();
    try {
      if (request.refusal !== undefined) throw new CommandRefusal({ reply: request.refusal });
      this.#perform(request);
    } catch (error) {
      this.#undo(error, replied);
    } finally {
      call.answerAll();
    }
  }

  #perform(request: RespRequest): void {
    const call = this.#call;
    const command = this.#commands.get(request);
    this.#admit(command, request);
    const { transaction } = this.#client;
    const isQueued = transaction !== undefined && command.isControl !== true;
    if (command.kind !== "write" && call.pending.count > 0) this.#isStalled = true;
    else if (isQueued) {
      if (this.#call.isPressed && transaction.byteCount > this.#limits.pressedBytes) refuse(PRESSED_TEXT);
      checkPart(command);
      transaction.queue(request, this.#limits);
      call.reply.simple("QUEUED");
      this.#parser.release();
    } else if (command.kind === "read" && !this.#reading.isGranted(this.#parser)) call.confirmRead();
    else this.#run(command);
  }

  #undo(error: unknown, replied: number): void {
    const { reply, pending } = this.#call;
    this.#call.spend(workOfBytes(reply.length - replied)); // discarded replies cost work too
    reply.rewind(replied);
    if (error instanceof ReplyHeld) this.#isHeld = true;
    else if (error instanceof CommandRefusal) {
      if (error.context.reply.startsWith(EXEC_ABORTED)) {
        this.#client.transaction = undefined;
        this.#client.watched.clear();
      } else this.#client.transaction?.break();
      this.#call.long = undefined;
      pending.addError(error.context.reply);
      this.#parser.release();
    } else throw error;
  }

  #admit(command: Command, request: RespRequest): void {
    if (!this.#client.isAuthenticated && command.isOpen !== true) {
      throw new CommandRefusal({ reply: "NOAUTH Authentication required." });
    }
    const isListening = this.protocol === 2 && this.#client.subscriptionCount > 0;
    if (isListening && command.isForSubscribers !== true) {
      throw new CommandRefusal({ reply: `ERR Can't execute '${command.name}': ${SUBSCRIBER_TEXT}` });
    }
    if (command.kind === "local" && request.count > this.#limits.localWords) {
      const reply = `ERR ${request.count} words are more than the limit of ${this.#limits.localWords} for '${command.name}'`;
      throw new CommandRefusal({ reply });
    }
  }

  #run(command: Command): void {
    this.row.lastCommand = command.name;
    this.#call.backend.counts.commands++;
    command.run(this.#call);
    if (command.work !== undefined) this.#call.spend(command.work);
    if (command.isSlow === true) this.#reading.forget();
    if (command.isOpen === true) this.#parser.isTrusted = this.#client.isAuthenticated;
    if (this.#call.isQuitting) this.#ending = "quit";
    if (this.#call.blockedBy === 0 && this.#call.long === undefined) this.#parser.release();
  }

  #goOnLong(): void {
    const { long, reply } = this.#call;
    const replied = reply.length;
    this.#reading.forget();
    try {
      if (long?.goOn() === true) {
        this.#call.long = undefined;
        this.#parser.release();
      }
    } catch (error) {
      this.#undo(error, replied);
    }
  }
}

/** @throws {CommandRefusal} for a command that cannot be part of a transaction */
function checkPart({ kind, look, isQueueable }: Command): void {
  if (kind !== "write" && look === undefined && isQueueable !== true)
    refuse("ERR Command not allowed inside a transaction");
}

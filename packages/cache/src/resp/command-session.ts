/** One RESP client's dialogue: bytes in, replies out in the order of the requests, whatever had to wait for the log. */
import type { Millis } from "@sluice/base/brand";
import type { Operation, OperationAnswer } from "../state/operation.ts";
import { ClientState } from "./client-state.ts";
import type { Command, CommandCall, ReplyForm } from "./command.ts";
import type { ClientRow, CommandBackend, CommandSink, StoreFailure } from "./command-backend.ts";
import { CommandTable } from "./command-table.ts";
import { CommandRefusal, RespProtocolError } from "./errors.ts";
import { failureText } from "./failure-text.ts";
import { DEFAULT_RESP_LIMITS, type RespLimits } from "./limits.ts";
import { Password } from "./password.ts";
import { checkKeyLength } from "./keys.ts";
import { PendingReplies } from "./pending-replies.ts";
import { publishTo } from "./publishing.ts";
import { ReadRight } from "./read-right.ts";
import type { RespRequest } from "./request.ts";
import { RespParser } from "./resp-parser.ts";
import { RespWriter } from "./resp-writer.ts";

export interface CommandSessionOptions {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly backend: CommandBackend;
  /** One for all sessions of a listener saves memory. */
  readonly commands?: CommandTable;
  /** Of user `default`; without one no AUTH is needed. */
  readonly password?: string | undefined;
  readonly limits?: RespLimits;
  /** Monotonic, now. */
  readonly now: Millis;
}

/** Why the owner should close the socket once `nextOutput` is empty. */
export type SessionEnd = "quit" | "killed" | "protocol-error";

const SUBSCRIBER_TEXT = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

/**
 * The loop around it: `receive` what arrives, then write `nextOutput` until it is empty; the same after any answer
 * through `CommandSink`. Take output only while the socket takes it: the session then stops by itself.
 */
export class CommandSession implements CommandSink, CommandCall, ClientRow {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly openedAt: Millis;
  readonly backend: CommandBackend;
  readonly client: ClientState;
  readonly reply = new RespWriter();
  readonly row: ClientRow = this;
  readonly user = "default";
  lastCommand = "NULL";
  lastActiveAt: Millis;
  wall = 0 as Millis;
  readonly #commands: CommandTable;
  readonly #limits: RespLimits;
  readonly #password: Password;
  readonly #parser: RespParser;
  readonly #pending = new PendingReplies(this.reply);
  readonly #reading: ReadRight;
  #request: RespRequest | undefined;
  /** Ticket of what keeps everything behind it waiting: a read that is being confirmed, or WAIT. */
  #blockedBy = 0;
  /** The request at the front waits until nothing is pending. */
  #isStalled = false;
  #ending: SessionEnd | undefined;

  constructor({
    limits = DEFAULT_RESP_LIMITS,
    commands = new CommandTable(limits),
    ...options
  }: CommandSessionOptions) {
    this.id = options.id;
    this.address = options.address;
    this.localAddress = options.localAddress;
    this.backend = options.backend;
    this.openedAt = options.now;
    this.lastActiveAt = options.now;
    this.#commands = commands;
    this.#limits = limits;
    this.#password = new Password(options.password);
    this.client = new ClientState({ isAuthenticated: !this.#password.isNeeded });
    this.#parser = new RespParser(limits);
    this.#reading = new ReadRight(options.backend.store, this.client);
  }

  /** Bytes as they arrived, in any split. They belong to the session until they were executed: do not reuse them. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.#ending !== undefined) return;
    this.lastActiveAt = now;
    this.#parser.offer(bytes);
    this.#execute();
  }

  /** All replies that are ready, joined; `undefined` when there are none. Executes on what waited for room. */
  nextOutput(): Uint8Array | undefined {
    const wasFull = this.reply.length >= this.#limits.outputBytes;
    const output = this.reply.take();
    if (wasFull) this.#execute();
    return output;
  }

  /** Enough is waiting: stop reading from the socket until this is false again. */
  get isPaused(): boolean {
    if (this.#parser.bufferedBytes <= this.#limits.waitingInputBytes) return false;
    return !this.#mayGoOn() || this.#pending.count > 0;
  }

  /** Set once the session is over, and all its replies are ready. */
  get ended(): SessionEnd | undefined {
    return this.isAnswered ? this.#ending : undefined;
  }

  /** Nothing that was asked still waits for its answer; what stands unfinished in the input was not asked yet. */
  get isAnswered(): boolean {
    return this.#pending.count === 0 && this.#blockedBy === 0;
  }

  /** Over at once: nothing that waits is answered. For CLIENT KILL, and for a socket that closed. */
  end(reason: SessionEnd): void {
    this.#ending = reason;
    this.#blockedBy = 0;
    this.#pending.drop();
  }

  /** Tells a subscriber; ignored when it is not subscribed. The owner calls it for `+switch-master` on a new leader. */
  publish(channel: string, message: string): void {
    if (this.#ending === undefined) publishTo(this.client, this.reply, channel, message);
  }

  answered(ticket: number, answer: OperationAnswer): void {
    this.#pending.settle(ticket, answer);
    this.#resume();
  }

  failed(ticket: number, failure: StoreFailure): void {
    if (ticket !== this.#blockedBy) this.#pending.settle(ticket, failureText(failure));
    else {
      this.#blockedBy = 0;
      this.reply.error(failureText(failure));
      this.#parser.release();
    }
    this.#resume();
  }

  confirmed(ticket: number): void {
    if (ticket !== this.#blockedBy) return;
    this.#blockedBy = 0;
    this.#reading.confirm();
    this.#resume();
  }

  replicated(ticket: number, count: number): void {
    if (ticket !== this.#blockedBy) return;
    this.#blockedBy = 0;
    this.reply.integer(count);
    this.#parser.release();
    this.#resume();
  }

  get request(): RespRequest {
    return this.#request as RespRequest;
  }

  get needsPassword(): boolean {
    return this.#password.isNeeded;
  }

  get name(): string {
    return this.client.name;
  }

  get library(): string {
    return this.client.library;
  }

  get libraryVersion(): string {
    return this.client.libraryVersion;
  }

  get database(): number {
    return this.client.database;
  }

  get protocol(): 2 | 3 {
    return this.reply.protocol;
  }

  get subscriptionCount(): number {
    return this.client.subscriptionCount;
  }

  get inputBytes(): number {
    return this.#parser.bufferedBytes;
  }

  get outputBytes(): number {
    return this.reply.length;
  }

  propose(operation: Operation, form: ReplyForm): void {
    this.backend.store.write(this, this.#pending.add(form), this.#commands.encoder.encode(operation));
  }

  proposePlainSet(key: number, form: ReplyForm): boolean {
    const { request, client } = this;
    const { encoder } = this.#commands;
    checkKeyLength(request, key);
    encoder.places.pointKey(request.bytes, request.startOf(key), request.lengthOf(key));
    encoder.places.pointValue(request.bytes, request.startOf(key + 1), request.lengthOf(key + 1));
    const bytes = encoder.encodePlainSet(client.cache);
    if (bytes === undefined) return false;
    this.backend.store.write(this, this.#pending.add(form), bytes);
    return true;
  }

  waitForReplicas(count: number, timeout: Millis): void {
    this.#blockedBy = this.#pending.nextTicket();
    this.backend.store.waitForReplicas(this, this.#blockedBy, count, timeout);
  }

  authenticate(user: string, password: string): boolean {
    return user === this.user && this.#password.matches(password);
  }

  quit(): void {
    this.#ending = "quit";
  }

  #mayGoOn(): boolean {
    if (this.#ending !== undefined || this.#blockedBy !== 0) return false;
    return this.#pending.count < this.#limits.pendingRequests && this.reply.length < this.#limits.outputBytes;
  }

  #resume(): void {
    if (this.#parser.bufferedBytes > 0 && !(this.#isStalled && this.#pending.count > 0)) this.#execute();
  }

  #execute(): void {
    this.wall = this.backend.store.wall();
    this.#reading.forget();
    this.#isStalled = false;
    this.#parser.isTrusted = this.client.isAuthenticated;
    try {
      while (this.#mayGoOn() && !this.#isStalled) {
        const request = this.#parser.next();
        if (request === undefined) return;
        this.#carryOut(request);
      }
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      this.#pending.addError(`ERR Protocol error: ${error.context.problem}`);
      this.#ending = "protocol-error";
    }
  }

  /** Leaves the request at the front when it has to wait. */
  #carryOut(request: RespRequest): void {
    this.#request = request;
    const replied = this.reply.length;
    this.reply.ceiling = this.#limits.replyBytes;
    try {
      const command = this.#commands.get(request);
      this.#admit(command);
      if (command.kind !== "write" && this.#pending.count > 0) this.#isStalled = true;
      else if (command.kind === "read" && !this.#reading.isGranted(this.#parser)) this.#confirmRead();
      else this.#run(command);
    } catch (error) {
      if (!(error instanceof CommandRefusal)) throw error;
      this.reply.rewind(replied);
      this.#pending.addError(error.context.reply);
      this.#parser.release();
    } finally {
      this.reply.ceiling = Number.POSITIVE_INFINITY; // what the log has done is answered in any case
    }
  }

  #admit(command: Command): void {
    if (!this.client.isAuthenticated && command.isOpen !== true) {
      throw new CommandRefusal({ reply: "NOAUTH Authentication required." });
    }
    const isListening = this.reply.protocol === 2 && this.client.subscriptionCount > 0;
    if (isListening && command.isForSubscribers !== true) {
      throw new CommandRefusal({ reply: `ERR Can't execute '${command.name}': ${SUBSCRIBER_TEXT}` });
    }
  }

  #run(command: Command): void {
    this.lastCommand = command.name;
    command.run(this);
    if (command.isSlow === true) this.#reading.forget();
    if (command.isOpen === true) this.#parser.isTrusted = this.client.isAuthenticated;
    if (this.#blockedBy === 0) this.#parser.release();
  }

  #confirmRead(): void {
    this.#blockedBy = this.#pending.nextTicket();
    this.backend.store.confirmRead(this, this.#blockedBy);
  }
}

/** Access of one session's commands to the request, its reply, the log and the state. */
import type { Millis } from "@sluice/base/brand";
import type { Operation } from "../state/operation.ts";
import type { ClientState } from "./client-state.ts";
import type { Command, CommandCall, LongCommand, Piece, ReplyForm } from "./command.ts";
import type { ClientRow, CommandBackend, CommandSink } from "./command-backend.ts";
import type { CommandTable } from "./command-table.ts";
import { refuse, ReplyHeld } from "./errors.ts";
import { checkKeyLength } from "./keys.ts";
import type { RespLimits } from "./limits.ts";
import { type Password, USER } from "./password.ts";
import { PendingReplies } from "./pending-replies.ts";
import type { RespRequest } from "./request.ts";
import { RespWriter } from "./resp-writer.ts";

export interface SessionCallOptions {
  readonly sink: CommandSink;
  readonly row: ClientRow;
  readonly backend: CommandBackend;
  readonly client: ClientState;
  readonly password: Password;
  readonly commands: CommandTable;
  readonly limits: RespLimits;
}

/** A value may grow before the log applies the command that returns it. */
const LEAST_VALUE_BYTES = 16 * 1024;

export class SessionCall implements CommandCall {
  readonly row: ClientRow;
  readonly backend: CommandBackend;
  readonly client: ClientState;
  readonly limits: RespLimits;
  readonly mayGoOn = true;
  readonly reply = new RespWriter((bytes) => this.#overflow(bytes));
  readonly pending = new PendingReplies(this.reply);
  wall = 0 as Millis;
  /** Ticket that blocks everything after it: a read being confirmed, or WAIT. */
  blockedBy = 0;
  /** A command in progress, which continues before anything else. */
  long: LongCommand | undefined;
  /** Additional work reported by commands. */
  extraWork = 0;
  isQuitting = false;
  isPressed = false;
  /** Bytes of replies that may wait. */
  #room: number;
  /** Bytes of waiting replies that one command may reach. */
  #ceiling: number;
  readonly #sink: CommandSink;
  readonly #password: Password;
  readonly #commands: CommandTable;
  #request: RespRequest | undefined;
  #expectedBytes = 0;

  constructor({ sink, row, backend, client, password, commands, limits }: SessionCallOptions) {
    this.row = row;
    this.backend = backend;
    this.client = client;
    this.limits = limits;
    this.#room = limits.outputBytes;
    this.#ceiling = limits.replyBytes;
    this.#sink = sink;
    this.#password = password;
    this.#commands = commands;
  }

  get request(): RespRequest {
    return this.#request as RespRequest;
  }

  set request(request: RespRequest) {
    this.#request = request;
    this.#expectedBytes = 0;
  }

  get needsPassword(): boolean {
    return this.#password.isNeeded;
  }

  /** While all clients together hold too much, less may wait. */
  press(isPressed: boolean): void {
    const { pressedBytes, outputBytes, replyBytes } = this.limits;
    this.#room = isPressed ? Math.min(pressedBytes, outputBytes) : outputBytes;
    this.#ceiling = isPressed ? this.#room : replyBytes;
    this.isPressed = isPressed;
  }

  /** Whether one more reply may be written. */
  get hasRoom(): boolean {
    return this.reply.length + this.pending.expectedBytes < this.#room;
  }

  /** From here on oversized values are refused, or wait for room. Until `answerAll`. */
  boundReply(): void {
    this.reply.ceiling = this.#ceiling;
  }

  /** Answers of the log are always written. */
  answerAll(): void {
    this.reply.ceiling = Number.POSITIVE_INFINITY;
  }

  commandOf(request: RespRequest): Command {
    return this.#commands.get(request);
  }

  propose(operation: Operation, form: ReplyForm): void {
    this.#write(this.#commands.encoder.encode(operation), form);
  }

  proposePlainSet(key: number, form: ReplyForm): boolean {
    const { request } = this;
    const { encoder } = this.#commands;
    const { places } = encoder;
    checkKeyLength(request, key);
    places.pointKey(request.bytes, request.startOf(key), request.lengthOf(key));
    places.pointValue(request.bytes, request.startOf(key + 1), request.lengthOf(key + 1));
    const bytes = encoder.encodePlainSet(this.client.cache);
    if (bytes === undefined) return false;
    this.#write(bytes, form);
    return true;
  }

  proposePiece(operation: Operation, form: ReplyForm, { group, isLast }: Piece): void {
    this.#write(this.#commands.encoder.encode(operation), form, { group, isSilent: !isLast });
  }

  spend(work: number): void {
    this.extraWork += work;
  }

  expectValue(bytes: number): void {
    this.#expectedBytes += Math.max(LEAST_VALUE_BYTES, bytes);
    const waiting = this.reply.length + this.pending.expectedBytes;
    if (waiting > 0 && waiting + this.#expectedBytes > this.#room) throw new ReplyHeld();
  }

  goOn(long: LongCommand): void {
    this.long = long;
  }

  waitForReplicas(count: number, timeout: Millis): void {
    this.blockedBy = this.pending.nextTicket();
    this.backend.store.waitForReplicas(this.#sink, this.blockedBy, count, timeout);
  }

  confirmRead(): void {
    this.blockedBy = this.pending.nextTicket();
    this.backend.store.confirmRead(this.#sink, this.blockedBy);
  }

  authenticate(user: string, password: string): boolean {
    return user === USER && this.#password.matches(password);
  }

  quit(): void {
    this.isQuitting = true;
  }

  #write(bytes: Uint8Array, form: ReplyForm, piece?: { readonly group: Piece["group"]; readonly isSilent: boolean }) {
    const ticket = this.pending.add({ form, expectedBytes: this.#expectedBytes, ...piece });
    this.backend.store.write(this.#sink, ticket, bytes);
  }

  #overflow(bytes: number): never {
    if (bytes > this.limits.replyBytes) refuse(`ERR the reply is larger than ${this.limits.replyBytes} bytes`);
    throw new ReplyHeld();
  }
}

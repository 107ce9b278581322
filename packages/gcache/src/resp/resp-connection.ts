/** One RESP client: joins a socket and its session, with a limit on unread replies. */
import type { Socket } from "node:net";
import type { Clock, Timer } from "@sluice/base/clock";
import { CommandSession, type CommandSessionOptions, type SessionEnd } from "@sluice/cache/resp/command-session";
import type { ClientLoad } from "./client-load.ts";
import type { RespLimits } from "../node/limits.ts";

/** Owner of all connections. */
export interface ConnectionOwner {
  readonly load: ClientLoad;
  /** Work was done in this turn of the event loop. */
  spent(): void;
  /** The connection has more work; call `goOn` when it is its turn. */
  due(connection: RespConnection): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  /** It is authenticated, and has sent a request. */
  known(connection: RespConnection): void;
  /** The session is over; once. */
  ended(connection: RespConnection, reason: SessionEnd): void;
  /** The socket is closed; once. */
  closed(connection: RespConnection): void;
}

export interface RespConnectionOptions {
  readonly session: Omit<CommandSessionOptions, "now">;
  readonly clock: Clock;
  readonly limits: RespLimits;
  readonly owner: ConnectionOwner;
}

const NOT_READING = "ERR Too many replies are unread: requests after the last reply were not executed";

export class RespConnection {
  readonly session: CommandSession;
  readonly socket: Socket;
  readonly #options: RespConnectionOptions;
  /** Runs while the client leaves too much unread. */
  #unread: Timer | undefined;
  #unreadSince = 0;
  #unreadBytes = 0;
  #linger: Timer | undefined;
  #heldBytes = 0;
  #skippedBytes = 0;
  #isKnown = false;
  #hasEnded = false;
  /** The client has sent everything, and may still read. */
  #hasHeardAll = false;
  #hasClosed = false;

  constructor(socket: Socket, options: RespConnectionOptions) {
    this.socket = socket;
    this.#options = options;
    this.session = new CommandSession({ ...options.session, now: options.clock.now() });
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#onBytes(bytes));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => {
      this.#hasHeardAll = true;
      this.flush();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#onClose());
  }

  /** Writes the session's output, as fast as the client reads. */
  flush(): void {
    if (this.#hasClosed) return;
    const { owner } = this.#options;
    this.#write();
    const { ended } = this.session;
    if (ended !== undefined && !this.#hasEnded) {
      this.#hasEnded = true;
      owner.ended(this, ended);
    }
    const isOver = ended !== undefined || (this.#hasHeardAll && !this.session.isBusy);
    if (isOver && this.#unread === undefined) return this.#finish();
    if (this.session.isDue) owner.due(this);
    this.#pauseOrResume();
    this.#account();
  }

  /** It is this connection's turn, or there is room again. */
  goOn(): void {
    if (this.#hasClosed) return;
    this.session.press(this.#options.owner.load.isPressed);
    this.session.goOn();
    this.flush();
  }

  /** Ends it at once, dropping unsent output. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Ends it after sending its output. */
  end(): void {
    this.session.end("killed");
    this.flush();
  }

  #onBytes(bytes: Uint8Array): void {
    const { owner, clock } = this.#options;
    owner.received(bytes.length);
    if (this.#hasEnded) return this.#skip(bytes.length);
    this.session.press(owner.load.isPressed);
    this.session.receive(bytes, clock.now());
    if (!this.#isKnown && this.session.isAuthenticated && this.session.row.lastCommand !== "NULL") {
      this.#isKnown = true;
      owner.known(this);
    }
    owner.spent();
    this.flush();
  }

  #write(): void {
    const { limits, owner } = this.#options;
    while (this.#unread === undefined) {
      const output = this.session.nextOutput(limits.pieceBytes);
      if (output === undefined) return;
      this.socket.write(output);
      owner.sent(output.length);
      if (this.socket.writableLength > limits.pauseBytes) this.#waitForReader();
    }
  }

  /** Discards further input, within limits, so that a client that keeps sending can still read the reason. */
  #skip(count: number): void {
    this.#skippedBytes += count;
    if (this.#skippedBytes > this.#options.limits.lingerBytes) this.destroy();
  }

  #finish(): void {
    this.#account();
    if (this.#linger !== undefined) {
      if (this.#hasHeardAll) this.socket.destroySoon();
      return;
    }
    const { clock, limits } = this.#options;
    this.#linger = clock.after(limits.linger, () => this.destroy());
    this.socket.end();
    if (this.#hasHeardAll) this.socket.destroySoon();
    else this.socket.resume();
  }

  #pauseOrResume(): void {
    const wanted = this.session.isPaused;
    if (wanted === this.socket.isPaused()) return;
    if (wanted) this.socket.pause();
    else this.socket.resume();
  }

  /** Reports held bytes; small changes are ignored. */
  #account(): void {
    const held = this.session.inputBytes + this.session.outputBytes + this.socket.writableLength;
    if (held === this.#heldBytes) return;
    const difference = held - this.#heldBytes;
    this.#heldBytes = held;
    this.#options.owner.load.add(difference);
  }

  #waitForReader(): void {
    this.#unreadSince = this.#options.clock.now();
    this.#unreadBytes = this.socket.writableLength;
    this.#watchReader();
  }

  /** Checks periodically whether anything was read. */
  #watchReader(): void {
    const { clock, limits, owner } = this.#options;
    this.#unread = clock.after(limits.unreadPressed, () => {
      const now = clock.now();
      if (this.socket.writableLength < this.#unreadBytes) this.#unreadSince = now;
      this.#unreadBytes = this.socket.writableLength;
      // While its input waits too, it may be stuck for good: it writes everything before it reads.
      const isHurried = owner.load.isPressed || this.session.isPaused;
      const limit = isHurried ? limits.unreadPressed : limits.unread;
      if (now - this.#unreadSince < limit) return this.#watchReader();
      if (this.#hasEnded) return this.destroy();
      this.session.endWith("does-not-read", NOT_READING);
      this.#watchReader();
      this.flush();
    });
  }

  #onDrain(): void {
    this.#unread?.cancel();
    this.#unread = undefined;
    this.flush();
  }

  #onClose(): void {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.#unread?.cancel();
    this.#linger?.cancel();
    this.session.end("quit");
    this.#options.owner.load.add(-this.#heldBytes);
    this.#options.owner.closed(this);
  }
}

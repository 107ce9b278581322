/** One RESP client: a socket on one side, its dialogue on the other, and a bound on what it may leave unread. */
import type { Socket } from "node:net";
import type { Clock, Timer } from "@sluice/base/clock";
import { CommandSession, type CommandSessionOptions, type SessionEnd } from "@sluice/cache/resp/command-session";
import type { ClientLoad } from "./client-load.ts";
import type { RespLimits } from "../node/limits.ts";

/** Whoever has all clients. */
export interface ConnectionOwner {
  readonly load: ClientLoad;
  /** Something was done in this turn of the event loop. */
  spent(): void;
  /** It goes on when its turn has come, by `goOn`. */
  due(connection: RespConnection): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  /** It has said who it is, and asked something. */
  known(connection: RespConnection): void;
  /** The dialogue is over; once. */
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

const NOT_READING = "ERR Too many replies wait to be read: what was sent behind the last of them was not done";

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
  /** The client has said its last, and may still read. */
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

  /** Writes what the session has ready, for as long as the client reads. */
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

  /** Its turn has come, or there is room again. */
  goOn(): void {
    if (this.#hasClosed) return;
    this.session.press(this.#options.owner.load.isPressed);
    this.session.goOn();
    this.flush();
  }

  /** Ends it at once, whatever it is owed. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Ends it once it has what it is owed. */
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

  /** Who sends on while its connection ends would else never hear why: its bytes are read, within bounds. */
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

  /** Tells what it holds now; a few bytes more or less are not worth it. */
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

  /** Looks now and then whether anything was read. */
  #watchReader(): void {
    const { clock, limits, owner } = this.#options;
    this.#unread = clock.after(limits.unreadPressed, () => {
      const now = clock.now();
      if (this.socket.writableLength < this.#unreadBytes) this.#unreadSince = now;
      this.#unreadBytes = this.socket.writableLength;
      // While its input waits, too, it may be stuck for good: it writes all before it reads.
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

/** One RESP client: a socket on one side, its dialogue on the other, and a bound on what it may leave unread. */
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { CommandSession, type CommandSessionOptions } from "@sluice/cache/resp/command-session";
import type { RespLimits } from "./limits.ts";

export interface RespConnectionOptions {
  readonly session: Omit<CommandSessionOptions, "now">;
  readonly clock: Clock;
  readonly limits: RespLimits;
  /** Once, when the socket is closed. */
  readonly closed: (connection: RespConnection) => void;
  /** The client did not read for too long. */
  readonly stalled: (connection: RespConnection) => void;
}

export class RespConnection {
  readonly session: CommandSession;
  readonly #socket: Socket;
  readonly #options: RespConnectionOptions;
  #unread: Timer | undefined;
  /** The client has said its last, and may still read. */
  #hasHeardAll = false;
  #hasClosed = false;

  constructor(socket: Socket, options: RespConnectionOptions) {
    this.#socket = socket;
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
    while (this.#unread === undefined) {
      const output = this.session.nextOutput();
      if (output === undefined) break;
      this.#socket.write(output);
      if (this.#socket.writableLength > this.#options.limits.pauseBytes) this.#waitForReader();
    }
    const isOver = this.session.ended !== undefined || (this.#hasHeardAll && this.session.isAnswered);
    if (isOver && this.#unread === undefined) {
      this.#socket.end();
      this.#socket.destroySoon();
      return;
    }
    this.#pauseOrResume();
  }

  /** Ends it at once, whatever it is owed. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it once it has what it is owed. */
  end(): void {
    this.session.end("killed");
    this.flush();
  }

  #onBytes(bytes: Uint8Array): void {
    this.session.receive(bytes, this.#options.clock.now());
    this.flush();
  }

  #pauseOrResume(): void {
    const wanted = this.session.isPaused || this.#unread !== undefined;
    if (wanted === this.#socket.isPaused()) return;
    if (wanted) this.#socket.pause();
    else this.#socket.resume();
  }

  #waitForReader(): void {
    const { clock, limits } = this.#options;
    this.#unread = clock.after(limits.unread as Millis, () => {
      this.#options.stalled(this);
      this.destroy();
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
    if (this.session.ended === undefined) this.session.end("quit");
    this.#options.closed(this);
  }
}

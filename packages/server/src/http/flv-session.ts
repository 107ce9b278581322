/** One viewer of FLV over HTTP or WebSocket: after the head, its socket gets the cohort's bytes and nothing else. */
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Protocol } from "@sluice/client/admin-contract";
import { applicationOf } from "@sluice/media/stream-key";
import type { WireForm } from "@sluice/media/wire-form";
import { endSocket } from "../sessions/byte-transport.ts";
import type { PeerOutput } from "../sessions/peer-output.ts";
import type { Session, SessionEnd, SessionFacts } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { socketSink } from "../sessions/socket-sink.ts";
import type { Viewer } from "../sessions/viewer.ts";

export interface FlvSessionOptions {
  readonly viewer: Viewer;
  readonly socket: Socket;
  readonly form: WireForm;
  readonly ports: SessionPorts;
  /** Closes in the protocol's own way before the socket ends. */
  readonly farewell?: (reason: SessionEnd, detail: string) => void;
}

export class FlvSession implements Session {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly since: Millis;
  readonly #options: FlvSessionOptions;
  readonly #output: PeerOutput;
  #endReason: SessionEnd | undefined;
  #endDetail = "";

  /** The head is written already. */
  constructor(options: FlvSessionOptions) {
    const { ports, socket, viewer } = options;
    this.id = viewer.facts.session;
    this.protocol = viewer.facts.protocol;
    this.address = viewer.facts.address;
    this.since = ports.clock.wall();
    this.#options = options;
    this.#output = ports.outputs.of(socket);
    socket.on("error", () => {}); // `close` follows and tells
    socket.once("end", () => this.end("peer-closed"));
    socket.once("close", (hadError: boolean) => this.#closed(hadError));
    ports.registry.add(this);
    this.#begin();
  }

  get facts(): SessionFacts {
    const { viewer, socket } = this.#options;
    return {
      role: "player",
      key: viewer.key,
      app: applicationOf(viewer.key),
      agent: viewer.facts.agent,
      bytesIn: socket.bytesRead,
      bytesOut: socket.bytesWritten,
      isLagging: viewer.isLagging,
      skips: viewer.skips,
    };
  }

  get latest(): Session["latest"] {
    return { role: "player", key: this.#options.viewer.key };
  }

  isServed(isLive: (key: string) => boolean): boolean {
    return isLive(this.#options.viewer.key);
  }

  tick(now: Millis): void {
    if (this.#output.isStalled(now, false)) this.end("stalled", "takes nothing of what it is sent");
    else if (this.#options.viewer.isOverdue(now)) this.end("not-found");
  }

  /** Neither FLV nor a closing WebSocket has words for it. */
  askToLeave(): "cannot" {
    return "cannot";
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#endDetail = detail;
    const { socket, farewell, viewer } = this.#options;
    viewer.leave();
    farewell?.(reason, detail);
    endSocket(socket);
    if (reason === "stalled") socket.destroy(); // what is queued would never be taken
  }

  #begin(): void {
    const { viewer, form, socket, ports } = this.#options;
    const sink = socketSink({
      socket,
      writes: ports.writes,
      output: this.#output,
      notify: (notice) => {
        if (notice === "unpublished") this.end("stream-ended");
      },
      end: (reason) => this.end(reason),
    });
    const refused = viewer.begin({ sink, form, isPatient: false, socket });
    if (refused !== undefined) this.end("limit", refused.detail);
  }

  #closed(hadError: boolean): void {
    const { ports, viewer } = this.#options;
    const reason = this.#endReason ?? (hadError ? "peer-error" : "peer-closed");
    this.#endReason = reason;
    viewer.leave();
    ports.registry.remove(this, { reason, detail: this.#endDetail });
    viewer.end(reason);
  }
}

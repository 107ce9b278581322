/** One viewer of FLV over HTTP or WebSocket: after the head, its socket gets the cohort's bytes and nothing else. */
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Protocol } from "@sluice/client/admin-contract";
import type { LiveStream } from "@sluice/media/live-stream";
import { applicationOf } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import type { WireForm } from "@sluice/media/wire-form";
import type { Grant } from "../auth/access.ts";
import { endSocket } from "../sessions/byte-transport.ts";
import type { PeerOutput } from "../sessions/peer-output.ts";
import { type FlvRequest, refusedViewer } from "./flv-request.ts";
import { notePlayRefusal } from "../sessions/refusals.ts";
import type { Session, SessionEnd, SessionFacts } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { socketSink } from "../sessions/socket-sink.ts";

/** What is kept of a viewer's request for as long as it plays. */
type FlvViewer = Pick<FlvRequest, "key" | "address" | "agent">;

export interface FlvSessionOptions {
  readonly id: string;
  readonly protocol: Protocol;
  readonly request: FlvViewer;
  readonly grant: Grant;
  readonly stream: LiveStream;
  readonly socket: Socket;
  readonly form: WireForm;
  readonly ports: SessionPorts;
  /** Says good-bye in the protocol's words before the socket ends. */
  readonly farewell?: (reason: SessionEnd, detail: string) => void;
}

const FULL = "The stream has as many viewers as it may";

export class FlvSession implements Session {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly since: Millis;
  readonly #options: FlvSessionOptions;
  readonly #startedAt: Millis;
  readonly #bytesBefore: number;
  readonly #output: PeerOutput;
  #subscriber: Subscriber | undefined;
  #endReason: SessionEnd | undefined;
  #endDetail = "";

  /** The head is written already. */
  constructor(options: FlvSessionOptions) {
    const { ports, socket } = options;
    const { key, address, agent } = options.request;
    this.id = options.id;
    this.protocol = options.protocol;
    this.address = address;
    this.since = ports.clock.wall();
    this.#options = { ...options, request: { key, address, agent } };
    this.#output = ports.outputs.of(socket);
    this.#startedAt = ports.clock.now();
    this.#bytesBefore = socket.bytesWritten;
    socket.on("error", () => {}); // `close` follows and tells
    socket.once("end", () => this.end("peer-closed"));
    socket.once("close", (hadError: boolean) => this.#closed(hadError));
    ports.registry.add(this);
    this.#subscribe();
  }

  get facts(): SessionFacts {
    const { request, socket } = this.#options;
    return {
      role: "player",
      key: request.key,
      app: applicationOf(request.key),
      agent: request.agent,
      bytesIn: socket.bytesRead,
      bytesOut: socket.bytesWritten,
      isLagging: this.#subscriber?.isLagging ?? false,
      skips: this.#subscriber?.skips ?? 0,
    };
  }

  get latest(): Session["latest"] {
    return { role: "player", key: this.#options.request.key };
  }

  isServed(isLive: (key: string) => boolean): boolean {
    return isLive(this.#options.request.key);
  }

  tick(now: Millis): void {
    const { ports, request } = this.#options;
    if (this.#output.isStalled(now, false)) return this.end("stalled", "takes nothing of what it is sent");
    const wait = ports.policyOf(applicationOf(request.key)).playWait.http;
    if (wait === "forever" || now - this.#startedAt <= wait) return;
    if (!ports.streams.isPublished(request.key)) this.end("not-found");
  }

  /** Neither FLV nor a closing WebSocket has words for it. */
  askToLeave(): "cannot" {
    return "cannot";
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#endDetail = detail;
    const { socket, farewell } = this.#options;
    this.#leave();
    farewell?.(reason, detail);
    endSocket(socket);
    if (reason === "stalled") socket.destroy(); // what is queued would never be taken
  }

  #subscribe(): void {
    const { stream, form, socket, ports, protocol, request } = this.#options;
    const sink = socketSink({
      socket,
      writes: ports.writes,
      output: this.#output,
      notify: (notice) => {
        if (notice === "unpublished") this.end("stream-ended");
      },
      end: (reason) => this.end(reason),
    });
    this.#subscriber = stream.subscribe({ sink, form, isPatient: false, startAt: "cached-gop" });
    if (this.#subscriber !== undefined) return;
    notePlayRefusal(ports, "limit", refusedViewer(request, { protocol, session: this.id, detail: FULL }));
    this.end("limit", FULL);
  }

  #leave(): void {
    const { stream, ports, request } = this.#options;
    if (this.#subscriber !== undefined) stream.unsubscribe(this.#subscriber);
    this.#subscriber = undefined;
    ports.streams.release(request.key);
  }

  #closed(hadError: boolean): void {
    const { ports, socket, grant } = this.#options;
    const reason = this.#endReason ?? (hadError ? "peer-error" : "peer-closed");
    if (this.#endReason === undefined) this.#leave();
    this.#endReason = reason;
    ports.registry.remove(this, { reason, detail: this.#endDetail });
    grant.end(reason, { bytesIn: 0, bytesOut: socket.bytesWritten - this.#bytesBefore });
  }
}

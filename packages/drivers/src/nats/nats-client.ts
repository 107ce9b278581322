/** The connection to a NATS server: its state, and calls over it with failures mapped to our errors. */
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, type ConnectionOptions, errors, type NatsConnection } from "@nats-io/transport-node";
import { Backoff } from "@sluice/base/backoff";
import type { Log } from "@sluice/base/log";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { type Call, PendingCalls } from "@sluice/engine/remote/pending-calls";
import { type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import { EngineServerUnfitError } from "@sluice/engine/remote/remote-errors";

export const NATS = "nats";

/** Events of the connection; each at most once per change. */
export interface NatsClientListener {
  onUp(): void;
  onDown(): void;
}

export class NatsClient {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly admin: JetStreamManager;
  readonly calls = new PendingCalls(NATS);
  readonly #log: Log;
  readonly #backoff: Backoff;
  #listener: NatsClientListener | undefined;
  #isClosing = false;

  constructor(connection: NatsConnection, admin: JetStreamManager, backoff: Backoff, options: RemoteEngineOptions) {
    const timeout = timingsOf(options).answer;
    this.connection = connection;
    this.jetstream = jetstream(connection, { timeout });
    this.admin = admin;
    this.#backoff = backoff;
    this.#log = options.log;
    this.calls.open();
    void this.#follow();
  }

  get serverVersion(): string {
    return this.connection.info?.version ?? "";
  }

  listen(listener: NatsClientListener): void {
    this.#listener = listener;
  }

  /** @throws {EngineUnavailableError} whenever the server gives no usable answer */
  call<T>(call: Call, run: () => Promise<T>): Promise<T> {
    return this.calls.pass(call, async () => {
      try {
        return await run();
      } catch (error) {
        throw toUnavailable(call, error);
      }
    });
  }

  /** The server is silent: closes the connection, so that the client dials again. */
  hangUp(): void {
    if (!this.#isClosing) void this.connection.reconnect();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.calls.close("the engine is closing");
    await this.connection.close();
  }

  async #follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (this.#isClosing) return;
      if (status.type === "disconnect") {
        this.calls.close("the connection to its server is gone");
        this.#log.warn({ engine: NATS, server: status.server }, "engine lost its server");
        this.#listener?.onDown();
      } else if (status.type === "reconnect") {
        this.#backoff.reset();
        this.calls.open();
        this.#log.info({ engine: NATS, server: status.server }, "engine found its server again");
        this.#listener?.onUp();
      }
    }
  }
}

/** @throws {EngineUnavailableError} when no server answers, {EngineServerUnfitError} when it is too old or lacks JetStream */
export async function openNatsLine(options: RemoteEngineOptions): Promise<NatsClient> {
  const timings = timingsOf(options);
  const { retryFirst: first, retryCap: cap } = timings;
  const backoff = new Backoff({ first, cap, factor: 2, random: options.random });
  const connection = await dial({
    ...readServers(options.url),
    name: "sluice",
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => backoff.next(),
    timeout: timings.answer,
    pingInterval: timings.silence / 2,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
  const serverVersion = connection.info?.version ?? "";
  try {
    checkVersion(serverVersion);
    const admin = await jetstreamManager(connection, { timeout: timings.answer });
    return new NatsClient(connection, admin, backoff, options);
  } catch (error) {
    await connection.close();
    if (error instanceof EngineServerUnfitError) throw error;
    if (!isWithoutJetStream(error)) throw toUnavailable(OPEN, error);
    throw new EngineServerUnfitError({ engine: NATS, serverVersion, problem: messageOf(error) }, { cause: error });
  }
}

const OPEN: Call = { action: "open", isWrite: false, bytes: 0 };

async function dial(options: ConnectionOptions): Promise<NatsConnection> {
  try {
    return await connect(options);
  } catch (error) {
    throw toUnavailable(OPEN, error);
  }
}

/** The client does not read credentials from an address. */
function readServers(url: string): ConnectionOptions {
  const addresses = url.split(",").map((part) => new URL(part.trim()));
  const [first] = addresses;
  const servers = addresses.map((address) => `${address.hostname}:${address.port === "" ? "4222" : address.port}`);
  const user = decodeURIComponent(first?.username ?? "");
  const pass = decodeURIComponent(first?.password ?? "");
  return {
    servers,
    ...(user !== "" && pass === "" ? { token: user } : {}),
    ...(user !== "" && pass !== "" ? { user, pass } : {}),
    ...(first?.protocol === "tls:" ? { tls: {} } : {}),
  };
}

/** 2.9 is the oldest version this engine was tested on. */
function checkVersion(serverVersion: string): void {
  const [major = 0, minor = 0] = serverVersion.split(".").map((part) => Number.parseInt(part, 10));
  if (major > 2 || (major === 2 && minor >= 9)) return;
  throw new EngineServerUnfitError({ engine: NATS, serverVersion, problem: "it needs 2.9 or later" });
}

/** A cluster without an elected leader answers differently, or not at all. */
function isWithoutJetStream(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === NOT_ENABLED || error.code === NOT_ENABLED_FOR_ACCOUNT;
  return isNobodyThere(error);
}

/** No stream covers the subject: the message reached nothing. */
export function isNobodyThere(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === STREAM_NOT_FOUND;
  if (!(error instanceof Error)) return false;
  return error.name === "JetStreamNotEnabled" || isNoResponders(error) || isNoResponders(error.cause);
}

function isNoResponders(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  return error instanceof errors.RequestError && error.isNoResponders();
}

const STREAM_NOT_FOUND = 10059;
const NOT_ENABLED = 10076;
const NOT_ENABLED_FOR_ACCOUNT = 10039;

/** Codes of refusals before anything was written: no such stream, or a record or value above the stream's limits. */
const REFUSALS: ReadonlySet<number> = new Set([STREAM_NOT_FOUND, 10054, 10077, 10047, 10023]);

function toUnavailable({ action, isWrite }: Call, error: unknown): Error {
  if (error instanceof EngineUnavailableError) return error;
  const isRefused = isNobodyThere(error) || (error instanceof JetStreamApiError && REFUSALS.has(error.code));
  const context = { engine: NATS, action, reason: messageOf(error), isUnknown: isWrite && !isRefused };
  return new EngineUnavailableError(context, { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

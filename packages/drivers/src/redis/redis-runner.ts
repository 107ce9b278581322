/** Runs our scripts over one connection to Redis, by their digests. */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { REDIS_SCRIPTS, type RedisScript } from "./redis-scripts.ts";

export type ScriptArgument = string | number | Uint8Array;

/** A script's reply: its first element says what happened. */
export type ScriptReply = readonly [string, ...Buffer[]];

export class RedisRunner {
  readonly #connection: Redis;
  readonly #digests = new Map(Object.values(REDIS_SCRIPTS).map((text) => [text, digestOf(text)]));

  constructor(connection: Redis) {
    this.#connection = connection;
  }

  async run(script: RedisScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<ScriptReply> {
    const [outcome, ...rest] = (await this.#evaluate(script, keys, args)) as [Buffer, ...Buffer[]];
    return [outcome.toString("latin1"), ...rest];
  }

  /**
   * Gives the server all scripts, and returns the current generation for this run of the server.
   *
   * @param least  lowest generation to found with
   */
  async find(epochKey: string, least: number): Promise<number> {
    const run = /^run_id:(\S+)/m.exec(await this.#connection.info("server"))?.[1] ?? "";
    await Promise.all([...this.#digests.keys()].map((text) => this.#connection.script("LOAD", text)));
    return Number(String(await this.#evaluate("FOUND", [epochKey], [run, least])));
  }

  async #evaluate(script: RedisScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    const text = REDIS_SCRIPTS[script];
    const rest = [keys.length, ...keys, ...args.map(toArgument)];
    try {
      return await this.#connection.callBuffer("EVALSHA", [this.#digests.get(text) ?? digestOf(text), ...rest]);
    } catch (error) {
      // The server's script cache was flushed.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return this.#connection.callBuffer("EVAL", [text, ...rest]);
    }
  }
}

export function toArgument(argument: ScriptArgument): string | number | Buffer {
  if (!(argument instanceof Uint8Array)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}

function digestOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** What one member's Sentinel says over a plain connection, in words that a test can compare. */
import { type Reply, RespClient } from "./resp-client.ts";

const MASTER = "sluice";

export class SentinelAsker implements AsyncDisposable {
  readonly #client: RespClient;

  private constructor(client: RespClient) {
    this.#client = client;
  }

  static async open(port: number): Promise<SentinelAsker> {
    return new SentinelAsker(await RespClient.open(port));
  }

  /** All asked in one go, so that a member that stands still finds it when it goes on. */
  async look(): Promise<Look> {
    const [address = null, master = null, role = null, quorum = null, sentinels = null] = await this.#client.ask([
      ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER],
      ["SENTINEL", "MASTER", MASTER],
      ["ROLE"],
      ["SENTINEL", "CKQUORUM", MASTER],
      ["SENTINEL", "SENTINELS", MASTER],
    ]);
    const port = listOf(address)[1];
    return {
      address: port === undefined ? undefined : Number(port),
      port: Number(fieldOf(master, "port")),
      flags: (typeof master === "string" ? master : fieldOf(master, "flags")).split(","),
      role: textOf(listOf(role)[0]),
      hasQuorum: textOf(quorum).startsWith("+OK"),
      downSentinels: listOf(sentinels)
        .filter((row) => fieldOf(row, "flags").includes("s_down"))
        .map((row) => Number(fieldOf(row, "port"))),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }
}

export interface Look {
  /** Port of the leader that it vouches for. */
  readonly address: number | undefined;
  /** Port of the last leader that it knows. */
  readonly port: number;
  /** Of the master; or the error as one. */
  readonly flags: readonly string[];
  readonly role: string;
  readonly hasQuorum: boolean;
  /** Ports. */
  readonly downSentinels: readonly number[];
}

function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}

function textOf(reply: Reply | undefined): string {
  return typeof reply === "string" ? reply : "";
}

function fieldOf(fields: Reply, name: string): string {
  const list = listOf(fields);
  return textOf(list[list.indexOf(name) + 1]);
}

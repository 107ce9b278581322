/** Where the home of the object of `object-clients.ts` is, and a client that writes to it until it is acknowledged. */
import type { ObjectAnswer } from "@sluice/client/admin-objects";
import { until } from "@sluice/testkit/until";
import type { ClusterServer } from "./cluster-server.ts";
import type { OwnObjectClient } from "./object-clients.ts";

const PATH = "/api/v1/objects/ball/position";

export const homeOf = async (server: ClusterServer): Promise<string | null> =>
  (await server.get<ObjectAnswer>(PATH)).object.home;

/** The home is there from now on. */
export async function moveTo(id: string, by: ClusterServer): Promise<void> {
  await until(`the home at ${id}`, async () => {
    if ((await homeOf(by)) === id) return true;
    const headers = { "content-type": "application/json" };
    await fetch(by.http(`${PATH}/move`), { method: "POST", headers, body: JSON.stringify({ node: id }) });
    return undefined;
  });
}

/** Sets `n` to rising numbers, one after the other has been acknowledged, or is known not to be. */
export class Writer {
  readonly client: OwnObjectClient;
  #number = 0;

  constructor(client: OwnObjectClient) {
    this.client = client;
  }

  get acknowledged(): readonly number[] {
    return this.client.acknowledged("n") as number[];
  }

  /** Until one more is acknowledged. */
  async writes(waitMillis?: number): Promise<void> {
    const before = this.acknowledged.length;
    let refusals = -1;
    await until(
      "a write to be acknowledged",
      () => {
        if (this.acknowledged.length > before) return true;
        if (this.client.codes.length > refusals) {
          refusals = this.client.codes.length;
          this.client.set("n", ++this.#number);
        }
        return undefined;
      },
      waitMillis,
    );
  }
}

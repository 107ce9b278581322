/** A message to one subscriber, by channel and by pattern. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { latin1, latin1Bytes } from "../state/integer-text.ts";
import type { ClientState } from "./client-state.ts";
import { Glob } from "./glob.ts";
import type { RespWriter } from "./resp-writer.ts";

export function publishTo(client: ClientState, reply: RespWriter, channel: string, message: string): void {
  const name = encodeUtf8(channel);
  if (client.channels.has(latin1(name))) {
    reply.push(3);
    reply.bulkText("message");
    reply.bulk(name);
    reply.bulkText(message);
  }
  for (const pattern of client.patterns) {
    if (!new Glob(latin1Bytes(pattern)).matches(name)) continue;
    reply.push(4);
    reply.bulkText("pmessage");
    reply.bulk(latin1Bytes(pattern));
    reply.bulk(name);
    reply.bulkText(message);
  }
}

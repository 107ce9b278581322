/** Answers `publish`: guard, limits, policy, then a seat on the stream. */
import { applicationOf } from "@sluice/media/stream-key";
import type { PublishAnswer } from "@sluice/media/stream-directory";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { PublisherSeat } from "./publisher-seat.ts";
import { admit, keyOf, type RtmpAdmission } from "./rtmp-admission.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-net-streams.ts";

/** @returns `undefined` when it was refused, and told so */
export async function startPublisher(
  options: RtmpNetStreamsOptions,
  messageStreamId: MessageStreamId,
  admission: RtmpAdmission,
): Promise<PublisherSeat | undefined> {
  const { ports } = options;
  const key = keyOf(admission);
  if (key === undefined) return refuse(options, messageStreamId, "NetStream.Publish.BadName", "The stream name is not legal");
  const verdict = await admit(admission);
  if (!verdict.allow) return refuse(options, messageStreamId, "NetStream.Publish.Denied", verdict.reason);
  if (options.signal.aborted) return undefined;
  if (!ports.claimPublisher()) return refuse(options, messageStreamId, "NetStream.Publish.Denied", "The server has as many publishers as it may");
  const app = applicationOf(key);
  const facts = { sessionId: options.id, protocol: options.protocol, address: options.address, agent: admission.request.flashVer };
  const answer = ports.streams.publish(key, ports.policyOf(app).publish, facts, () => replaced(options, messageStreamId));
  if (answer.answer !== "accepted") {
    ports.releasePublisher();
    return refuse(options, messageStreamId, "NetStream.Publish.BadName", REFUSALS[answer.answer]);
  }
  options.engine.acceptPublish(messageStreamId);
  return new PublisherSeat({ publication: answer.publication, ports, report: { app, protocol: options.protocol, address: options.address, sessionId: options.id } });
}

const REFUSALS: Readonly<Record<Exclude<PublishAnswer["answer"], "accepted">, string>> = {
  taken: "Somebody publishes this stream already",
  "too-many-streams": "The server has as many streams as it may",
};

function refuse(options: RtmpNetStreamsOptions, id: MessageStreamId, code: "NetStream.Publish.BadName" | "NetStream.Publish.Denied", description: string): undefined {
  options.engine.rejectPublish(id, { code, description });
  options.ports.log.info({ session: options.id, address: options.address, reason: description }, "Publish refused");
  return undefined;
}

/** Another publisher has the stream now. */
function replaced(options: RtmpNetStreamsOptions, id: MessageStreamId): void {
  options.engine.sendStatus(id, { level: "error", code: "NetStream.Publish.BadName", description: "Another publisher took the stream over" });
  options.end("replaced", "another publisher took the stream over");
}

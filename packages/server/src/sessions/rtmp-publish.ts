/** Answers `publish`: guard, limits, policy, then a seat on the stream. */
import { applicationOf } from "@sluice/media/stream-key";
import type { PublishAnswer } from "@sluice/media/stream-directory";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { PublisherSeat } from "./publisher-seat.ts";
import { admit, keyOf, type RtmpAdmission } from "./rtmp-admission.ts";
import { countPublishRefusal, type PublishRefusal } from "./refusals.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-session-options.ts";

/** @returns `undefined` when it was refused, and told so */
export async function startPublisher(
  options: RtmpNetStreamsOptions,
  messageStreamId: MessageStreamId,
  admission: RtmpAdmission,
): Promise<PublisherSeat | undefined> {
  const { ports } = options;
  const key = keyOf(admission);
  if (options.isOver(messageStreamId)) return undefined;
  if (key === undefined) return refuse(options, messageStreamId, "name", "The stream name is not legal");
  const verdict = await admit(admission);
  await ports.reads.catchUp(); // the publisher before may have gone, unheard so far
  if (options.signal.aborted || options.isOver(messageStreamId)) return undefined;
  if (!verdict.allow) return refuse(options, messageStreamId, "guard", verdict.reason);
  if (!ports.claimPublisher())
    return refuse(options, messageStreamId, "limit", "The server has as many publishers as it may");
  const app = applicationOf(key);
  const facts = {
    sessionId: options.id,
    protocol: options.protocol,
    address: options.address,
    agent: admission.request.flashVer,
  };
  const answer = ports.streams.publish(key, ports.policyOf(app).publish, facts, () =>
    replaced(options, messageStreamId),
  );
  if (answer.answer !== "accepted") {
    ports.releasePublisher();
    return refuse(options, messageStreamId, ...REFUSALS[answer.answer]);
  }
  options.engine.acceptPublish(messageStreamId);
  return new PublisherSeat({
    publication: answer.publication,
    ports,
    source: { pull: () => ports.reads.pull(options.transport.socket) },
    report: { app, protocol: options.protocol, address: options.address, sessionId: options.id },
  });
}

const REFUSALS: Readonly<Record<Exclude<PublishAnswer["answer"], "accepted">, readonly [PublishRefusal, string]>> = {
  taken: ["taken", "Somebody publishes this stream already"],
  "too-many-streams": ["limit", "The server has as many streams as it may"],
};

const REFUSAL_CODES: Readonly<Record<PublishRefusal, string>> = {
  name: "NetStream.Publish.BadName",
  taken: "NetStream.Publish.BadName",
  guard: "NetStream.Publish.Denied",
  limit: "NetStream.Publish.Denied",
};

function refuse(
  options: RtmpNetStreamsOptions,
  id: MessageStreamId,
  reason: PublishRefusal,
  description: string,
): undefined {
  const { engine, ports, address } = options;
  engine.rejectPublish(id, { code: REFUSAL_CODES[reason], description });
  countPublishRefusal(ports.meter, reason);
  ports.log.info({ session: options.id, address, reason: description }, "Publish refused");
  return undefined;
}

/** Another publisher has the stream now. */
function replaced(options: RtmpNetStreamsOptions, id: MessageStreamId): void {
  options.engine.sendStatus(id, {
    level: "error",
    code: "NetStream.Publish.BadName",
    description: "Another publisher took the stream over",
  });
  options.end("replaced", "another publisher took the stream over");
}

/** Answers `publish`: guard, limits, policy, then a seat on the stream. */
import { applicationOf } from "@sluice/media/stream-key";
import type { PublishAnswer } from "@sluice/media/stream-directory";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { PublisherSeat } from "./publisher-seat.ts";
import { admit, keyOf, refusedOf, type RtmpAdmission } from "./rtmp-admission.ts";
import { notePublishRefusal, type PublishRefusal, STOPPING } from "./refusals.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-session-options.ts";

/** @returns `undefined` when it was refused, and told so */
export async function startPublisher(
  options: RtmpNetStreamsOptions,
  messageStreamId: MessageStreamId,
  admission: RtmpAdmission,
): Promise<PublisherSeat | undefined> {
  const { ports } = options;
  const key = keyOf(admission);
  const refuse = (reason: PublishRefusal, detail: string): undefined =>
    refusePublish(options, { messageStreamId, admission, reason, detail });
  if (options.isOver(messageStreamId)) return undefined;
  if (key === undefined) return refuse("name", "The stream name is not legal");
  if (ports.draining.aborted) return refuse("stopping", STOPPING);
  const verdict = await admit(admission);
  await ports.reads.catchUp(); // the publisher before may have gone, unheard so far
  if (options.signal.aborted || options.isOver(messageStreamId)) return undefined;
  if (!verdict.allow) return refuse("guard", verdict.reason);
  if (!ports.claimPublisher()) return refuse("limit", "The server has as many publishers as it may");
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
    return refuse(...REFUSALS[answer.answer]);
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
  stopping: "NetStream.Publish.Denied",
};

function refusePublish(
  { engine, ports }: RtmpNetStreamsOptions,
  refusal: {
    readonly messageStreamId: MessageStreamId;
    readonly admission: RtmpAdmission;
    readonly reason: PublishRefusal;
    readonly detail: string;
  },
): undefined {
  const { messageStreamId, admission, reason, detail } = refusal;
  engine.rejectPublish(messageStreamId, { code: REFUSAL_CODES[reason], description: detail });
  notePublishRefusal(ports, reason, refusedOf(admission, detail));
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

/** Answers `publish`: guard, limits, policy, then a publisher on the stream. */
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import type { PublishAnswer } from "@sluice/media/stream-directory";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { Grant } from "../auth/access.ts";
import { Publisher } from "../sessions/publisher.ts";
import { admit, keyOf, refusedOf, type RtmpAdmission } from "./rtmp-admission.ts";
import { notePublishRefusal, type PublishRefusal, STOPPING } from "../sessions/refusals.ts";
import type { RtmpNetStreamsOptions } from "./rtmp-session-options.ts";

/** @returns `undefined` when it was refused, and told so */
export async function startPublisher(
  options: RtmpNetStreamsOptions,
  messageStreamId: MessageStreamId,
  admission: RtmpAdmission,
): Promise<Publisher | undefined> {
  const { ports } = options;
  const key = keyOf(admission);
  const refuse = (reason: PublishRefusal, detail: string): undefined =>
    refusePublish(options, { messageStreamId, admission, reason, detail });
  if (options.isOver(messageStreamId)) return undefined;
  if (key === undefined) return refuse("name", "The stream name is not legal");
  if (ports.draining.aborted) return refuse("stopping", STOPPING);
  if (options.page?.mayPublish === false) return refuse("origin", "Web pages of this origin may not publish");
  const verdict = await admit(admission);
  await ports.reads.catchUp(); // the publisher before may have gone, unheard so far
  if (verdict.allow) await ports.streams.confirmHolder(key, ports.policyOf(applicationOf(key)).publish);
  const isOver = options.signal.aborted || options.isOver(messageStreamId);
  if (!verdict.allow) return isOver ? undefined : refuse("guard", verdict.reason);
  const outcome = isOver
    ? "given-up"
    : attachPublisher(options, { messageStreamId, key, admission, grant: verdict.grant });
  if (outcome instanceof Publisher) return accepted(options, messageStreamId, outcome);
  verdict.grant.end(outcome === "given-up" ? outcome : outcome[0]);
  return outcome === "given-up" ? undefined : refuse(...outcome);
}

function attachPublisher(
  options: RtmpNetStreamsOptions,
  asked: {
    readonly messageStreamId: MessageStreamId;
    readonly key: StreamKey;
    readonly admission: RtmpAdmission;
    readonly grant: Grant;
  },
): Publisher | readonly [PublishRefusal, string] {
  const { ports, id, protocol, address } = options;
  const { messageStreamId, key, admission, grant } = asked;
  if (!ports.claimPublisher()) return ["limit", "The server has as many publishers as it may"];
  const facts = { sessionId: id, protocol, address, agent: admission.request.flashVer };
  const holder = { replaced: () => replaced(options, messageStreamId), confirm: options.confirm };
  const answer = ports.streams.publish(key, ports.policyOf(applicationOf(key)).publish, facts, holder);
  if (answer.answer !== "accepted") {
    ports.releasePublisher();
    return REFUSALS[answer.answer];
  }
  const source = { pull: () => ports.reads.pull(options.transport.socket) };
  return new Publisher({ publication: answer.publication, ports, source, grant });
}

function accepted(options: RtmpNetStreamsOptions, id: MessageStreamId, publisher: Publisher): Publisher {
  try {
    options.engine.acceptPublish(id);
    return publisher;
  } catch (error) {
    publisher.stop("lost", "fault");
    throw error;
  }
}

const REFUSALS: Readonly<Record<Exclude<PublishAnswer["answer"], "accepted">, readonly [PublishRefusal, string]>> = {
  taken: ["taken", "Somebody publishes this stream already"],
  "too-many-streams": ["limit", "The server has as many streams as it may"],
};

const REFUSAL_CODES: Readonly<Record<PublishRefusal, string>> = {
  name: "NetStream.Publish.BadName",
  taken: "NetStream.Publish.BadName",
  guard: "NetStream.Publish.Denied",
  origin: "NetStream.Publish.Denied",
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

/** Answers `publish`: guard, limits, policy, then a publisher on the stream. */
import type { PublishAnswer } from "@sluice/media/stream-directory";
import { applicationOf, type StreamKey } from "@sluice/media/stream-key";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { Grant } from "../auth/access.ts";
import { Publisher } from "../sessions/publisher.ts";
import { notePublishRefusal, type PublishRefusal, STOPPING } from "../sessions/refusals.ts";
import { reservedReason } from "../streams/reserved-names.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";
import type { RtmpRequest } from "./rtmp-request.ts";

/** @returns `undefined` when it was refused; the peer has been answered */
export async function startPublisher(
  peer: RtmpPeer,
  messageStreamId: MessageStreamId,
  request: RtmpRequest,
): Promise<Publisher | undefined> {
  const { signal, page } = peer;
  const { ports } = peer.settings;
  const { access, key } = request;
  const refuse = (reason: PublishRefusal, detail: string): undefined => {
    peer.engine.rejectPublish(messageStreamId, { code: REFUSAL_CODES[reason], description: detail });
    const { sessionId: session, protocol, address, agent = "" } = access;
    notePublishRefusal(ports, reason, { session, protocol, address, agent, key: key ?? request.asked, detail });
  };
  if (peer.isOver(messageStreamId)) return undefined;
  if (key === undefined) return refuse("name", "No stream can have this name");
  const reserved = reservedReason("publish", key);
  if (reserved !== undefined) return refuse("name", reserved);
  if (ports.draining.aborted) return refuse("stopping", STOPPING);
  if (page?.mayPublish === false) return refuse("origin", "Web pages of this origin may not publish");
  const app = applicationOf(key);
  const verdict = await ports.guard.decide({ ...access, action: "publish", app, key }, signal);
  await ports.reads.catchUp(); // the publisher before may have gone, unheard so far
  const holder = verdict.allow ? await ports.streams.confirmHolder(key, ports.policyOf(app).publish) : "free";
  const isOver = signal.aborted || peer.isOver(messageStreamId);
  if (!verdict.allow) return isOver ? undefined : refuse("guard", verdict.reason);
  const { grant } = verdict;
  if (isOver) {
    grant.end("given-up");
    return undefined;
  }
  if (holder === "taken") {
    grant.end("taken");
    return refuse(...REFUSALS.taken);
  }
  const outcome = attachPublisher(peer, { messageStreamId, key, agent: access.agent ?? "", grant });
  if (outcome instanceof Publisher) return accepted(peer, messageStreamId, outcome);
  grant.end(outcome[0]);
  return refuse(...outcome);
}

function attachPublisher(
  peer: RtmpPeer,
  asked: {
    readonly messageStreamId: MessageStreamId;
    readonly key: StreamKey;
    readonly agent: string;
    readonly grant: Grant;
  },
): Publisher | readonly [PublishRefusal, string] {
  const { id, protocol, address, transport } = peer;
  const { ports } = peer.settings;
  const { messageStreamId, key, agent, grant } = asked;
  if (!ports.claimPublisher()) return ["limit", "The server has reached its publisher limit"];
  const facts = { sessionId: id, protocol, address, agent };
  const holder = {
    replaced: () => replaced(peer, messageStreamId),
    confirm: (patience: Parameters<RtmpPeer["confirm"]>[0]) => peer.confirm(patience),
  };
  const answer = ports.streams.publish(key, ports.policyOf(applicationOf(key)).publish, facts, holder);
  if (answer.answer !== "accepted") {
    ports.releasePublisher();
    return REFUSALS[answer.answer];
  }
  const source = { pull: () => ports.reads.pull(transport.socket) };
  return new Publisher({ publication: answer.publication, ports, source, grant });
}

function accepted(peer: RtmpPeer, id: MessageStreamId, publisher: Publisher): Publisher {
  try {
    peer.engine.acceptPublish(id);
    return publisher;
  } catch (error) {
    publisher.stop("lost", "fault");
    throw error;
  }
}

const REFUSALS: Readonly<Record<Exclude<PublishAnswer["answer"], "accepted">, readonly [PublishRefusal, string]>> = {
  taken: ["taken", "This stream has a publisher already"],
  "too-many-streams": ["limit", "The server has reached its stream limit"],
};

const REFUSAL_CODES: Readonly<Record<PublishRefusal, string>> = {
  name: "NetStream.Publish.BadName",
  taken: "NetStream.Publish.BadName",
  guard: "NetStream.Publish.Denied",
  origin: "NetStream.Publish.Denied",
  limit: "NetStream.Publish.Denied",
  stopping: "NetStream.Publish.Denied",
};

/** Another publisher has the stream now. */
function replaced(peer: RtmpPeer, id: MessageStreamId): void {
  peer.engine.sendStatus(id, {
    level: "error",
    code: "NetStream.Publish.BadName",
    description: "Another publisher took the stream over",
  });
  peer.end("replaced", "another publisher took the stream over");
}

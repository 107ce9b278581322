/** Who may publish, and what happens to a stream as publishers come and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_MEMORY_LIMITS } from "@sluice/media/limits";
import type { LiveStream } from "@sluice/media/live-stream";
import {
  type Publication,
  type PublishPolicy,
  StreamDirectory,
  type StreamNotice,
} from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { assertTimeGoesOn, FakeSink, ms, streamOptions, testForm, TestWindow, Units } from "./fixture.ts";

const CAM = "live/cam" as StreamKey;
const REFUSE: PublishPolicy = { whenTaken: "refuse", grace: ms(10_000) };
const REPLACE: PublishPolicy = { whenTaken: "replace", grace: ms(10_000) };
const FACTS = { sessionId: "s1", protocol: "rtmp", address: "127.0.0.1", agent: "test" };

const holder = (replaced = (): void => {}) => ({ replaced, confirm: () => Promise.resolve() });

function open(streams = 10, waitingStreams = 10) {
  const clock = new FakeClock();
  const notices: string[] = [];
  const units = new Units();
  const directory = new StreamDirectory({
    clock,
    limits: { streams, waitingStreams },
    memoryLimits: DEFAULT_MEMORY_LIMITS,
    streamOptions: () => streamOptions(new TestWindow()),
    notice: ({ type, stream, reason }: StreamNotice) =>
      notices.push(`${type} ${stream.stream.key} ${stream.state}: ${reason}`),
  });
  const publish = (policy = REFUSE, onReplaced = (): void => {}, key = CAM): Publication => {
    const answer = directory.publish(key, policy, FACTS, holder(onReplaced));
    assert.ok(answer.answer === "accepted");
    return answer.publication;
  };
  const watch = (key = CAM) => {
    const sink = new FakeSink(clock);
    const stream = directory.acquire(key) as LiveStream;
    const viewer = stream.subscribe({ sink, form: testForm("plain"), isPatient: false, startAt: "cached-gop" });
    const leave = (): void => {
      stream.unsubscribe(viewer as Subscriber);
      directory.release(key);
    };
    return { sink, stream, leave };
  };
  const send = (publication: Publication, timestamp: number, role: "key" | "delta" = "key"): void => {
    if (!publication.isCurrent) return;
    if (role === "key") publication.stream.push(units.make("video", "config", timestamp));
    publication.stream.push(units.make("video", role, timestamp));
    publication.stream.deliver();
  };
  return { clock, notices, directory, publish, watch, send };
}

test("[MED60, MED68] a second publisher is refused, the first goes on", () => {
  const { directory, publish, notices, send } = open();
  const first = publish();
  assert.deepEqual(
    directory.publish(
      CAM,
      REFUSE,
      FACTS,
      holder(() => assert.fail()),
    ),
    { answer: "taken" },
  );
  assert.ok(first.isCurrent);
  send(first, 0);
  assert.ok(directory.isPublished(CAM));
  assert.deepEqual(notices, ["live live/cam live: published"]);
  assert.equal(directory.findEntry(CAM)?.publisher, FACTS);
});

test("[MED137] a publisher is asked for a sign of life for three to ten seconds by the grace window, and where it would be replaced not at all", async () => {
  for (const [policy, patience] of [
    [{ ...REFUSE, grace: ms(0) }, [3_000]],
    [{ ...REFUSE, grace: ms(7_000) }, [7_000]],
    [{ ...REFUSE, grace: ms(600_000) }, [10_000]],
    [REPLACE, []],
  ] as const) {
    const { directory } = open();
    const asked: number[] = [];
    await directory.confirmHolder(CAM, policy);
    directory.publish(CAM, policy, FACTS, { replaced() {}, confirm: async (within) => void asked.push(within) });
    await directory.confirmHolder(CAM, policy);
    assert.deepEqual(asked, patience);
  }
});

test("[MED61, MED66, MED68] the first is told once, and its frames and ends count no more; viewers go on", () => {
  const { clock, directory, publish, notices, watch, send } = open();
  const { sink } = watch();
  let told = 0;
  const first: Publication = publish(REFUSE, () => {
    told++;
    assert.equal(first.isCurrent, false);
    first.end("lost");
  });
  send(first, 5_000);
  clock.advance(1_000);
  const second = publish(REPLACE);
  assert.equal(told, 1);
  send(first, 5_040, "delta");
  first.end("unpublished");
  first.end("lost");
  assert.ok(second.isCurrent && !first.isCurrent);
  send(second, 0);
  assert.deepEqual(
    sink.items().map(({ role, dts }) => [role, dts]),
    [
      ["config", 5_000],
      ["key", 5_000],
      ["config", 6_000],
      ["key", 6_000],
    ],
  );
  assert.deepEqual(sink.notices, ["published"]);
  assert.deepEqual(notices, ["live live/cam live: published", "live live/cam live: published"]);
  assert.equal(directory.size, 1);
});

test("[MED62, MED68] within the grace window viewers stay, untold, and time goes on", () => {
  const { clock, directory, publish, notices, watch, send } = open();
  const { sink, stream } = watch();
  const first = publish();
  send(first, 1_000);
  first.end("lost");
  assert.equal(directory.findEntry(CAM)?.state, "grace");
  assert.equal(directory.findEntry(CAM)?.publisher, undefined);
  assert.ok(directory.isPublished(CAM));
  const late = watch();
  assert.equal(late.sink.items().length, 2, "joiners still get the cached GOP");
  clock.advance(9_999);
  const second = publish();
  clock.advance(60_000);
  send(second, 77);
  assert.deepEqual(
    sink.items().map((item) => item.dts),
    [1_000, 1_000, 70_999, 70_999],
  );
  assertTimeGoesOn(late.sink.items());
  assert.deepEqual([sink.notices, late.sink.notices], [["published"], []]);
  assert.equal(stream, second.stream);
  assert.equal(stream.publicationCount, 2);
  assert.deepEqual(
    notices.map((notice) => notice.split(" ")[0]),
    ["live", "grace", "live"],
  );
  assert.equal(clock.pendingCount, 0);
});

test("[MED63, MED68] after the grace window viewers are told, once, and may wait for the next publisher", () => {
  const { clock, directory, publish, notices, watch, send } = open();
  const { sink, leave } = watch();
  const first = publish();
  send(first, 0);
  first.end("lost");
  clock.advance(9_999);
  assert.deepEqual(sink.notices, ["published"]);
  clock.advance(1);
  assert.deepEqual(sink.notices, ["published", "unpublished"]);
  assert.equal(directory.findEntry(CAM)?.state, "waiting");
  assert.ok(!directory.isPublished(CAM));
  const late = watch();
  assert.equal(late.sink.byteCount, 0, "nothing of what is over");
  const second = publish();
  assert.deepEqual(sink.notices, ["published", "unpublished", "published"]);
  send(second, 0);
  assert.equal(late.sink.items().length, 2);
  assertTimeGoesOn(sink.items());
  second.end("unpublished");
  leave();
  late.leave();
  assert.equal(directory.size, 0);
  assert.deepEqual(
    notices.map((notice) => notice.split(" ")[0]),
    ["live", "grace", "ended", "live", "ended"],
  );
  assert.ok(notices[2]?.startsWith("ended live/cam waiting"));
});

test("[MED63] a publisher that says it ends, or without a grace window, ends at once", () => {
  for (const [how, grace] of [
    ["unpublished", 10_000],
    ["lost", 0],
  ] as const) {
    const { clock, directory, publish, watch } = open();
    const { sink } = watch();
    publish({ whenTaken: "refuse", grace: ms(grace) }).end(how);
    assert.deepEqual(sink.notices, ["published", "unpublished"]);
    assert.equal(directory.findEntry(CAM)?.state, "waiting");
    assert.equal(clock.pendingCount, 0);
  }
});

test("[MED64] streams without publisher and viewers are forgotten, others are not", () => {
  const { directory, publish, watch } = open();
  const one = watch();
  const two = watch();
  one.leave();
  assert.equal(directory.size, 1);
  two.leave();
  assert.equal(directory.size, 0);
  const first = publish();
  const three = watch();
  three.leave();
  assert.equal(directory.size, 1);
  first.end("lost");
  directory.release(CAM);
  assert.equal(directory.size, 1, "in the grace window it stays");
});

test("[MED63, MED64] viewers that go when told leave no stream behind", () => {
  const { directory, publish, watch, notices } = open();
  const first = publish();
  const { sink, leave } = watch();
  sink.notify = leave;
  first.end("unpublished");
  assert.equal(directory.size, 0);
  assert.equal(notices.length, 2);
});

const key = (name: string): StreamKey => `live/${name}` as StreamKey;

test("[MED65, MED103] publishers and waiting viewers have a limit each; at theirs new streams are refused, others go on", () => {
  const { directory, publish, watch } = open(2, 1);
  const waiting = watch();
  assert.equal(directory.acquire(key("c")), undefined);
  publish(REFUSE, () => {}, key("b"));
  assert.ok(publish(), "what is waited for can be published, and is not waited for then");
  assert.deepEqual(waiting.sink.notices, ["published"]);
  assert.deepEqual(directory.publish(key("c"), REFUSE, FACTS, holder()), { answer: "too-many-streams" });
  assert.ok(directory.acquire(key("c")), "as many are waited for as before");
  assert.ok(watch().stream);
  assert.deepEqual(
    directory.entries().map((entry) => entry.stream.key),
    [CAM, key("b"), key("c")],
  );
});

test("[MED103] waiting gives its places back, in whatever way it ends", () => {
  const { clock, directory, publish, watch } = open(10, 1);
  for (let i = 0; i < 3; i++) {
    watch(key(`${i}`)).leave();
    const first = watch(key("a"));
    const publication = publish(REFUSE, () => {}, key("a"));
    first.leave();
    publication.end("lost");
    clock.advance(10_000);
    assert.equal(directory.size, 0);
  }
  assert.ok(directory.acquire(key("last")));
});

test("[MED104] a publisher finds a place where others are lost: the grace window of the oldest ends", () => {
  const { clock, directory, publish, notices, watch } = open(3);
  for (const name of ["a", "b", "c"]) publish(REFUSE, () => {}, key(name)).end("lost");
  const { sink } = watch(key("a"));
  publish(REFUSE, () => {}, key("b"));
  publish(REFUSE, () => {}, key("d"));
  assert.deepEqual(sink.notices, ["unpublished"]);
  assert.deepEqual(
    directory.entries().map((entry) => `${entry.stream.key} ${entry.state}`),
    ["live/a waiting", "live/b live", "live/c grace", "live/d live"],
  );
  publish(REFUSE, () => {}, key("e"));
  assert.deepEqual(
    directory.publish(key("f"), REFUSE, FACTS, holder()),
    { answer: "too-many-streams" },
    "nobody is lost any more",
  );
  clock.advance(60_000);
  assert.equal(notices.filter((notice) => notice.startsWith("ended")).length, 2);
});

test("[MED105] viewers of a publication that is over wait within the same limit, else they are let go", () => {
  const { directory, publish, watch } = open(10, 1);
  const publications = ["a", "b"].map((name) => publish(REFUSE, () => {}, key(name)));
  const [first, second] = [watch(key("a")), watch(key("b"))];
  second.sink.end = second.leave;
  for (const publication of publications) publication.end("unpublished");
  assert.deepEqual(
    directory.entries().map((entry) => entry.stream.key),
    [key("a")],
  );
  assert.equal(second.stream.subscriberCount, 0);
  assert.equal(first.stream.subscriberCount, 1);
});

test("[MED66] ending twice, or after the stream went on without it, changes nothing", () => {
  const { clock, directory, publish, watch, notices } = open();
  watch();
  const first = publish();
  first.end("lost");
  first.end("unpublished");
  assert.equal(directory.findEntry(CAM)?.state, "grace");
  clock.advance(10_000);
  first.end("lost");
  const second = publish();
  first.end("unpublished");
  assert.ok(second.isCurrent);
  second.end("unpublished");
  second.end("unpublished");
  assert.deepEqual(
    notices.map((notice) => notice.split(" ")[0]),
    ["live", "grace", "ended", "live", "ended"],
  );
});

test("[MED66] an end that comes after its stream was forgotten does not touch the one that has its name now", () => {
  const { directory, publish } = open();
  const first = publish();
  first.end("unpublished");
  assert.equal(directory.size, 0);
  const second = publish();
  first.end("lost");
  assert.ok(second.isCurrent && !first.isCurrent);
  assert.equal(directory.findEntry(CAM)?.state, "live");
  assert.notEqual(first.stream, second.stream);
});

test("[MED67] closing ends everybody and leaves no timer", () => {
  const { clock, directory, publish, watch } = open();
  const first = publish();
  const viewer = watch();
  const waiting = watch("live/b" as StreamKey);
  publish(REFUSE, () => {}, "live/c" as StreamKey).end("lost");
  directory.close();
  assert.deepEqual([viewer.sink.ends, waiting.sink.ends], [["server-stopping"], ["server-stopping"]]);
  assert.ok(!first.isCurrent);
  first.end("lost");
  viewer.leave();
  assert.deepEqual([directory.size, clock.pendingCount], [0, 0]);
});

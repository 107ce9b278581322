// The ball behind its page: a socket that a test answers, on a clock that it moves.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { HoldWatch } from "../src/ball/hold-watch.ts";
import { openBall } from "../src/ball/open-ball.ts";
import { type BallConnection, type BallState, type Holder, stateOf } from "../src/ball/shared-ball.ts";

/** What the page of the ball needs of a WebSocket. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static last: FakeSocket | undefined;
  readyState = 0;
  readonly sent: { readonly type: string; readonly id: number }[] = [];

  readonly url: string;
  readonly protocol: string;

  constructor(url: string, protocol: string) {
    super();
    this.url = url;
    this.protocol = protocol;
    FakeSocket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string; id: number });
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  hear(message: object): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  end(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

function ballOf(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { WebSocket: FakeSocket, location: { origin: "http://node.example:8080" } });
  const connections: BallConnection[] = [];
  const states: BallState[] = [];
  const ball = openBall({
    connection: (state) => connections.push(state),
    changed: (state) => states.push(state),
  });
  const socket = (): FakeSocket => FakeSocket.last ?? assert.fail("no socket");
  const said = (): string[] => connections.map((one) => (one.at === "lost" ? one.reason : one.at));
  return { ball, states, said, socket, connections };
}

const SNAPSHOT = { type: "snapshot", object: "ballControl/ball", at: "1.1/1", dropped: 0 };
const property = (name: string, value: unknown) => ({ name, value, at: "1.1/1" });

test("[CON431] the ball is opened again until it has a home, and after its node was away", async (t) => {
  const { ball, states, said, socket, connections } = ballOf(t);
  assert.deepEqual([socket().url, socket().protocol], ["ws://node.example:8080/ballControl", "sluice.v1"]);
  assert.equal(await ball.change({ spot: { x: 1, y: 2 } }), "not connected");
  socket().open();
  const ids = (): number[] => socket().sent.map(({ id }) => id);
  const [connect = 0, open = 0] = ids();
  socket().hear({ type: "answer", id: connect, status: "success", client: "c", node: "alpha" });
  socket().hear({ type: "answer", id: open, status: "refused", code: "unavailable", detail: "" });
  t.mock.timers.tick(1_000);
  assert.equal(socket().sent.at(-1)?.type, "open");
  socket().hear({ ...SNAPSHOT, properties: [property("x", 10), property("y", 20)] });
  assert.deepEqual(connections.at(-1), { at: "open", node: "alpha" });
  const moved = ball.change({ spot: { x: 30, y: 40 }, holder: null });
  socket().hear({ type: "answer", id: ids().at(-1), status: "refused", code: "rate", detail: "" });
  assert.equal(await moved, "rate");
  const under = ball.change({ spot: { x: 31, y: 41 } });
  socket().end(1001);
  assert.equal(await under, "lost");
  t.mock.timers.tick(1_000);
  socket().open();
  socket().hear({ ...SNAPSHOT, properties: [property("x", 31), property("y", 41)] });
  assert.deepEqual(states.at(-1)?.spot, { x: 31, y: 41 });
  assert.deepEqual(said(), [
    "connecting",
    "The ball has no home yet: trying again",
    "open",
    "This node goes out of service: open the ball on another one",
    "connecting",
    "open",
  ]);
});

test("[CON431] a node that refuses the page is quoted", (t) => {
  const { said, socket } = ballOf(t);
  socket().open();
  socket().hear({ type: "answer", id: 1, status: "refused", code: "denied", detail: "a token is needed" });
  socket().end(4001);
  assert.equal(said().at(-1), "The node refuses: a token is needed");
});

test("[CON431] only two numbers are a position, and only a holder with name, node and beat is one", () => {
  const of = (properties: Record<string, unknown>) => stateOf(new Map(Object.entries(properties)));
  const by = { name: "Ada", node: "n1", beat: 4 };
  assert.deepEqual(of({ x: 1, y: 2, by }), { spot: { x: 1, y: 2 }, holder: by });
  for (const bad of [{}, { x: "1", y: 2 }, { x: 1 }, { x: 1, y: Number.NaN }])
    assert.equal(of(bad).spot, undefined, JSON.stringify(bad));
  for (const bad of [null, "Ada", { name: "Ada" }, { ...by, beat: "soon" }])
    assert.equal(of({ by: bad }).holder, undefined, JSON.stringify(bad));
  assert.equal(of({ by: { ...by, name: "x".repeat(99) } }).holder?.name.length, 24);
});

test("[CON427] a holder that falls silent drags no more", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told: (string | undefined)[] = [];
  const watch = new HoldWatch((holder) => told.push(holder?.name));
  const ada: Holder = { name: "Ada", node: "n1", beat: 1 };
  watch.see(ada);
  t.mock.timers.tick(2_000);
  watch.see({ ...ada, beat: 2 });
  t.mock.timers.tick(2_000);
  assert.deepEqual(told, ["Ada", "Ada"]);
  t.mock.timers.tick(1_000);
  assert.deepEqual(told, ["Ada", "Ada", undefined]);
});

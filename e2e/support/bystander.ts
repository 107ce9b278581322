/** A stream that plays while a test mistreats the server: afterwards its viewers must have every frame. */
import assert from "node:assert/strict";
import { type FlvViewer, watchHttp } from "./flv-viewer.ts";
import { connectPeer, type RtmpPeer } from "./rtmp-peer.ts";
import type { Server } from "./server.ts";
import { assertSameFrames, assertTimeNeverBack, codedFrames, isCoded, restamp, type Unit } from "./units.ts";

const NAME = "bystander";
const TICK_MILLIS = 40;

export class Bystander implements AsyncDisposable {
  readonly #publisher: RtmpPeer;
  readonly #rtmp: RtmpPeer;
  readonly #web: FlvViewer;
  readonly #clip: readonly Unit[];
  readonly #sent: Unit[] = [];
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #round = 0;

  constructor(from: {
    readonly publisher: RtmpPeer;
    readonly rtmp: RtmpPeer;
    readonly web: FlvViewer;
    readonly clip: readonly Unit[];
  }) {
    this.#publisher = from.publisher;
    this.#rtmp = from.rtmp;
    this.#web = from.web;
    this.#clip = from.clip;
    this.#timer = setInterval(() => this.#sendDue(), TICK_MILLIS);
  }

  assertLives(): void {
    assert.deepEqual([this.#publisher.isClosed, this.#rtmp.isClosed, this.#web.isEnded], [false, false, false]);
  }

  /** Ends the stream and checks that nobody missed anything. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.assertLives();
    this.#publisher.leave();
    await this.#rtmp.status("NetStream.Play.UnpublishNotify");
    await this.#web.ended;
    assert.ok(codedFrames(this.#sent).length > 0);
    assertSameFrames(this.#rtmp.units, this.#sent, "the bystander over RTMP");
    assertSameFrames(this.#web.units, this.#sent, "the bystander over HTTP");
    assertTimeNeverBack(this.#rtmp.units, "the bystander over RTMP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const peer of [this.#publisher, this.#rtmp, this.#web]) await peer[Symbol.asyncDispose]();
  }

  #sendDue(): void {
    const now = performance.now() - this.#startedAt;
    for (;;) {
      const unit = this.#nextUnit();
      if (unit.timestamp > now) return;
      this.#publisher.send(unit);
      this.#sent.push(unit);
      this.#step();
    }
  }

  /** Round after round of the clip; headers and metadata only in the first. */
  #nextUnit(): Unit {
    const length = Math.max(...this.#clip.map(({ timestamp }) => timestamp)) + TICK_MILLIS;
    return restamp([this.#clip[this.#next] as Unit], this.#round * length)[0] as Unit;
  }

  #step(): void {
    do {
      this.#next++;
      if (this.#next < this.#clip.length) continue;
      this.#next = 0;
      this.#round++;
    } while (this.#round > 0 && !isCoded(this.#clip[this.#next] as Unit));
  }
}

/** The server must let HTTP viewers wait in application `by`. */
export async function startBystander(server: Server, clip: readonly Unit[]): Promise<Bystander> {
  const open = (): Promise<RtmpPeer> => connectPeer({ port: server.port(), app: "by" });
  const [publisher, rtmp] = [await open(), await open()];
  rtmp.play(NAME);
  const web = await watchHttp(server.http(`/by/${NAME}.flv`));
  await server.viewers(`by/${NAME}`, 2);
  await publisher.publish(NAME);
  return new Bystander({ publisher, rtmp, web, clip });
}

export const BYSTANDER_SETS = ["applications.by.play.httpWait=forever"];

/** Conformance: messages reach those who listen, at most once and in order. */
import type { Engine } from "../engine.ts";
import { bytesOf, expect, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import type { MessageRecorder } from "./watch-recorder.ts";
import { defineCase } from "./trial.ts";

const COUNT = 200;

export const MESSAGE_CASES: readonly ConformanceCase[] = [
  defineCase("ENG60", "each subscriber hears each message once, in the order of its publisher", [], async (trial) => {
    const engines = [await trial.open(), await trial.open()];
    const taps = [...engines, ...engines].map((engine) => trial.subscribe(engine, "subject"));
    await trial.until(() => hearsAll(engines, taps, "subject"), "subscribers that hear both publishers");
    await trial.during(Promise.all(engines.map((engine, index) => publishOften(engine, `publisher ${index}`))));
    for (const tap of taps) {
      const isLast = (name: string): boolean => textsOf(tap).includes(`${name} ${COUNT - 1}`);
      await trial.until(() => isLast("publisher 0") && isLast("publisher 1"), "the last message of both");
      for (const name of ["publisher 0", "publisher 1"]) {
        const heard = textsOf(tap).filter((text) => text.startsWith(name));
        expectSame(
          heard,
          Array.from({ length: COUNT }, (_, index) => `${name} ${index}`),
          `messages of ${name}`,
        );
      }
    }
  }),

  defineCase(
    "ENG61",
    "a subject is text: no pattern, prefix or other spelling hears its messages",
    [],
    async (trial) => {
      const engine = await trial.open();
      const subjects = ["a.b", "a.*", "a.", "a", "*", ">", "a.B", "a.b.c", "a/b", "a.b ", "a.b\u0000"];
      const taps = subjects.map((subject) => trial.subscribe(engine, subject));
      for (const [index, subject] of subjects.entries()) {
        await trial.until(
          () => hearsAll([engine], [taps[index] as MessageRecorder<Uint8Array>], subject),
          "a subscriber that hears",
        );
      }
      for (const subject of subjects) await engine.publish(subject, bytesOf(`to ${subject}`));
      for (const [index, subject] of subjects.entries()) {
        const heard = (): string[] =>
          textsOf(taps[index] as MessageRecorder<Uint8Array>).filter((text) => text.startsWith("to "));
        await trial.until(() => heard().length > 0, `the message to ${JSON.stringify(subject)}`);
        expectSame(heard(), [`to ${subject}`], `messages to ${JSON.stringify(subject)}`);
      }
    },
  ),

  defineCase("ENG62", "a message published before the first ask is not kept for later", [], async (trial) => {
    const engine = await trial.open();
    await engine.publish("subject", bytesOf("early"));
    const tap = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [tap], "subject"), "a subscriber that hears");
    await engine.publish("subject", bytesOf("late"));
    await trial.until(() => textsOf(tap).includes("late"), "the message after subscribing");
    expect(!textsOf(tap).includes("early"), "a message published before subscribing must not be heard");
  }),

  defineCase("ENG63", "messages of any bytes and up to the stated maximum arrive as they were", [], async (trial) => {
    const engine = await trial.open();
    const tap = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [tap], "subject"), "a subscriber that hears");
    // A late ping may still come in between.
    const heard = (): Uint8Array[] => tap.items.filter((message) => !textOf(message)?.startsWith("ping "));
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const largest = new Uint8Array(engine.capabilities().maxValueBytes).fill(0xa5);
    for (const message of [new Uint8Array(0), all, largest]) {
      const handed = message.slice();
      const publishing = engine.publish("subject", handed);
      handed.fill(1);
      await trial.during(publishing);
    }
    await trial.until(() => heard().length >= 3, "three messages");
    expectSame(heard(), [new Uint8Array(0), all, largest], "the messages");
  }),

  defineCase("ENG64", "a subscription ends when its signal aborts, and never rejects", [], async (trial) => {
    const engine = await trial.open();
    const ending = new AbortController();
    const tap = trial.subscribe(engine, "subject", ending.signal);
    const other = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [tap, other], "subject"), "subscribers that hear");
    ending.abort(new Error("Enough"));
    await trial.until(() => tap.isEnded || tap.failure !== undefined, "the end of the subscription");
    expectSame(tap.failure, undefined, "a failure of the subscription");
    await engine.publish("subject", bytesOf("after"));
    await trial.until(() => textsOf(other).includes("after"), "the message for the subscriber that stays");
    expect(!textsOf(tap).includes("after"), "an ended subscription must hear nothing");
  }),
];

async function publishOften(engine: Engine, name: string): Promise<void> {
  for (let index = 0; index < COUNT; index++) await engine.publish("subject", bytesOf(`${name} ${index}`));
}

function textsOf(tap: MessageRecorder<Uint8Array>): string[] {
  return tap.items.map((message) => textOf(message) ?? "");
}

/** Asking takes time to reach a remote engine: whether all hear is only known from hearing. */
async function hearsAll(
  engines: readonly Engine[],
  taps: readonly MessageRecorder<Uint8Array>[],
  subject: string,
): Promise<boolean> {
  for (const [index, engine] of engines.entries()) await engine.publish(subject, bytesOf(`ping ${index}`));
  return taps.every((tap) => engines.every((_, index) => textsOf(tap).includes(`ping ${index}`)));
}

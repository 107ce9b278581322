/** Conformance: messages reach every subscriber at most once and in order. */
import type { Engine } from "../engine.ts";
import { bytesOf, expect, expectSame, textOf } from "./expect.ts";
import type { ConformanceCase } from "./harness.ts";
import type { MessageRecorder } from "./watch-recorder.ts";
import { defineCase } from "./trial.ts";

const COUNT = 200;

export const MESSAGE_CASES: readonly ConformanceCase[] = [
  defineCase("ENG60", "each subscriber hears each message once, in the order of its publisher", [], async (trial) => {
    const engines = [await trial.open(), await trial.open()];
    const recorders = [...engines, ...engines].map((engine) => trial.subscribe(engine, "subject"));
    await trial.until(() => hearsAll(engines, recorders, "subject"), "subscribers that hear both publishers");
    await trial.during(Promise.all(engines.map((engine, index) => publishOften(engine, `publisher ${index}`))));
    for (const recorder of recorders) {
      const isLast = (name: string): boolean => textsOf(recorder).includes(`${name} ${COUNT - 1}`);
      await trial.until(() => isLast("publisher 0") && isLast("publisher 1"), "the last message of both");
      for (const name of ["publisher 0", "publisher 1"]) {
        const heard = textsOf(recorder).filter((text) => text.startsWith(name));
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
      const recorders = subjects.map((subject) => trial.subscribe(engine, subject));
      for (const [index, subject] of subjects.entries()) {
        await trial.until(
          () => hearsAll([engine], [recorders[index] as MessageRecorder<Uint8Array>], subject),
          "a subscriber that hears",
        );
      }
      for (const subject of subjects) await engine.publish(subject, bytesOf(`to ${subject}`));
      for (const [index, subject] of subjects.entries()) {
        const heard = (): string[] =>
          textsOf(recorders[index] as MessageRecorder<Uint8Array>).filter((text) => text.startsWith("to "));
        await trial.until(() => heard().length > 0, `the message to ${JSON.stringify(subject)}`);
        expectSame(heard(), [`to ${subject}`], `messages to ${JSON.stringify(subject)}`);
      }
    },
  ),

  defineCase("ENG62", "a message published before the first ask is not kept for later", [], async (trial) => {
    const engine = await trial.open();
    await engine.publish("subject", bytesOf("early"));
    const recorder = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [recorder], "subject"), "a subscriber that hears");
    await engine.publish("subject", bytesOf("late"));
    await trial.until(() => textsOf(recorder).includes("late"), "the message after subscribing");
    expect(!textsOf(recorder).includes("early"), "a message published before subscribing must not be heard");
  }),

  defineCase("ENG63", "messages of any bytes and up to the stated maximum arrive as they were", [], async (trial) => {
    const engine = await trial.open();
    const recorder = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [recorder], "subject"), "a subscriber that hears");
    // A late ping may still arrive in between.
    const heard = (): Uint8Array[] => recorder.items.filter((message) => !textOf(message)?.startsWith("ping "));
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
    const recorder = trial.subscribe(engine, "subject", ending.signal);
    const other = trial.subscribe(engine, "subject");
    await trial.until(() => hearsAll([engine], [recorder, other], "subject"), "subscribers that hear");
    ending.abort(new Error("Enough"));
    await trial.until(() => recorder.isEnded || recorder.failure !== undefined, "the end of the subscription");
    expectSame(recorder.failure, undefined, "a failure of the subscription");
    await engine.publish("subject", bytesOf("after"));
    await trial.until(() => textsOf(other).includes("after"), "the message for the subscriber that stays");
    expect(!textsOf(recorder).includes("after"), "an ended subscription must hear nothing");
  }),
];

async function publishOften(engine: Engine, name: string): Promise<void> {
  for (let index = 0; index < COUNT; index++) await engine.publish("subject", bytesOf(`${name} ${index}`));
}

function textsOf(recorder: MessageRecorder<Uint8Array>): string[] {
  return recorder.items.map((message) => textOf(message) ?? "");
}

/** Subscribing at a remote engine takes time; only received messages show that it is complete. */
async function hearsAll(
  engines: readonly Engine[],
  recorders: readonly MessageRecorder<Uint8Array>[],
  subject: string,
): Promise<boolean> {
  for (const [index, engine] of engines.entries()) await engine.publish(subject, bytesOf(`ping ${index}`));
  return recorders.every((recorder) => engines.every((_, index) => textsOf(recorder).includes(`ping ${index}`)));
}

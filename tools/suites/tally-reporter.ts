/** A node:test reporter that writes one JSON line per finished test, for the total over all suites. */
import type { TestEvent } from "node:test/reporters";

export default async function* tally(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type === "test:summary" && event.data.file !== undefined) {
      yield `${JSON.stringify({ finished: event.data.file })}\n`;
    }
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    if (event.data.details.type === "suite" && event.type === "test:pass") continue;
    const { name, file, skip, todo, details } = event.data;
    const outcome = event.type === "test:pass" ? "passed" : "failed";
    const kind = details.type === "suite" ? "suite" : "test";
    yield `${JSON.stringify({ name, file, kind, outcome, skipped: skip !== undefined, todo: todo !== undefined })}\n`;
  }
}

/** Trims a capture into a fixture: `node tools/capture-to-fixture.ts IN OUT [--only peer|us] [--until MS] [--bytes N] [--origin TEXT]`. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { decodeCapture, encodeCapture, trimCapture } from "../packages/testkit/src/capture.ts";

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: "string" },
      until: { type: "string" },
      bytes: { type: "string" },
      origin: { type: "string" },
    },
  });
  const [from, to] = positionals;
  const { only, until, bytes, origin } = values;
  if (from === undefined || to === undefined || (only !== undefined && only !== "peer" && only !== "us")) {
    console.error("Usage: capture-to-fixture IN OUT [--only peer|us] [--until MS] [--bytes N] [--origin TEXT]");
    return 1;
  }
  const capture = trimCapture(decodeCapture(readFileSync(from, "utf8")), {
    ...(only === undefined ? {} : { only }),
    ...(until === undefined ? {} : { untilMillis: Number(until) }),
    ...(bytes === undefined ? {} : { maxBytes: Number(bytes) }),
    ...(origin === undefined ? {} : { origin }),
  });
  writeFileSync(to, encodeCapture(capture));
  console.log(`${to}: ${capture.entries.length} entries`);
  return 0;
}

process.exitCode = main();

/** flv-dump shows what is in a file, and says so when the file is damaged. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { encodeFlvTagInto, type FlvTagType, flvTagByteCount, writeFlvHeader } from "@sluice/formats/flv/flv-tag";
import { flvDump } from "@sluice/server/cli/flv-dump";
import { splitEvery } from "@sluice/testkit/byte-splitter";
import { hex } from "@sluice/testkit/hex";

type Tag = readonly [FlvTagType, number, string];

const META = "02 000a 6f6e4d65746144617461 08 00000001 0005 7769647468 00 4094000000000000 000009";
const TAGS: readonly Tag[] = [
  ["script", 0, META],
  ["video", 0, "17 00 000000 01 42 c0 1e"],
  ["audio", 0, "af 00 12 10"],
  ["video", 40, "17 01 000050 aa bb cc"],
  ["video", 80, "27 01 ffffd8 aa"],
  ["audio", 85, ""],
  ["video", 16_777_300, "90 68 76 63 31 01"],
  ["video", 4_294_967_295, "17"],
];

function flv(tags: readonly Tag[]): Uint8Array {
  const encoded = tags.map(([type, timestamp, bytes]) => {
    const body = hex(bytes);
    const tag = new Uint8Array(flvTagByteCount(body.length));
    encodeFlvTagInto(tag, 0, type, timestamp, body);
    return tag;
  });
  return new Uint8Array(Buffer.concat([writeFlvHeader(true, true), ...encoded]));
}

async function run(args: readonly string[], pieces: readonly Uint8Array[] = []) {
  const said = { output: "", errors: "" };
  const into = (name: keyof typeof said): Writable =>
    new Writable({
      write(bytes: Buffer, _encoding, done) {
        said[name] += bytes.toString();
        done();
      },
    });
  const input = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  const code = await flvDump(args, { input, output: into("output"), errors: into("errors") });
  return { code, ...said };
}

test("prints one row a tag: time, kind, size, codec, packet, key frame", async () => {
  const { code, output, errors } = await run(["-"], [flv(TAGS)]);
  assert.deepEqual([code, errors], [0, ""]);
  const rows = output.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
  assert.deepEqual(rows, [
    '0 script 37 ["onMetaData",{"width":1280}]',
    "0 video 9 avc1 sequence-start",
    "0 audio 4 mp4a sequence-start",
    "40 video 8 avc1 keyframe pts +80",
    "80 video 6 avc1 inter pts -40",
    "85 audio 0 ? silence",
    "16777300 video 6 hvc1 sequence-start enhanced",
    "4294967295 video 1 avc1 unknown (body ends inside its own header)",
    "8 tags, 4294967295 ms",
    "",
  ]);
});

test("--json prints one object a tag, however the bytes arrive", async () => {
  const whole = await run(["--json", "-"], [flv(TAGS)]);
  const rows = whole.output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(rows.length, TAGS.length);
  assert.deepEqual(rows[3], {
    type: "video",
    timestamp: 40,
    bytes: 8,
    codec: "avc1",
    packet: "coded-frames",
    isEnhanced: false,
    frameType: "keyframe",
    isKeyframe: true,
    compositionTime: 80,
  });
  assert.deepEqual(await run(["--json", "-"], splitEvery(flv(TAGS), 1)), whole);
});

test("reads a file by name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-flv-"));
  try {
    await writeFile(join(folder, "a.flv"), flv(TAGS.slice(0, 2)));
    const { code, output } = await run([join(folder, "a.flv")]);
    assert.equal(code, 0);
    assert.match(output, /2 tags, 0 ms\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file that is cut short shows what is whole and fails", async () => {
  const { code, output, errors } = await run(["-"], [flv(TAGS.slice(0, 2)).subarray(0, -6)]);
  assert.equal(code, 1);
  assert.match(output, /1 tags/);
  assert.match(errors, /the file ends 18 bytes into it/);
});

test("what is no FLV, not there or not asked for properly fails with one line", async () => {
  const noFlv = await run(["-"], [hex("00 01 02 03 04 05 06 07 08")]);
  assert.equal(noFlv.code, 1);
  assert.match(noFlv.errors, /^Cannot read FLV header: signature of 0 is not allowed\n$/);
  assert.match((await run(["-"], [hex("46 4c")])).errors, /the file ends before it does/);
  assert.match((await run(["/nonexistent.flv"])).errors, /Cannot read \/nonexistent.flv: there is no such file/);
  for (const args of [[], ["a", "b"], ["--what", "a"], ["--what"]]) {
    assert.match((await run(args)).errors, /^Usage: sluice flv-dump/);
  }
});

test("a wrong back pointer is shown and does not stop the dump", async () => {
  const bytes = flv([["audio", 5, "af 01 00"]]);
  bytes[bytes.length - 1] = 99;
  const { code, output } = await run(["-"], [bytes]);
  assert.equal(code, 0);
  assert.match(output, /\(wrong back pointer\)/);
});

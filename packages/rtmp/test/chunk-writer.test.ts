/** Messages to chunks, as the dialogue and fan-out send them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeMessageInto, messageByteCount } from "@sluice/rtmp/chunk-writer";
import { CHUNK_STREAM, type ChunkStreamId } from "@sluice/rtmp/ids";
import { encodeMediaMessageInto, mediaMessageByteCount } from "@sluice/rtmp/media-message";
import { hex, toHex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { createServer, join } from "./ports.ts";
import { CONNECT, plainHandshake, readMessages, sid } from "./raw-peer.ts";

const MEDIA_GOLDEN = [
  {
    rule: "CHK14",
    says: "video at 40 ms on message stream 1",
    media: { kind: "video", timestamp: 40, messageStreamId: sid(1), body: "17 01", chunkSize: 128 },
    bytes: "06 000028 000002 09 01000000 1701",
  },
  {
    rule: "CHK14",
    says: "audio of no bytes",
    media: { kind: "audio", timestamp: 0, messageStreamId: sid(1), body: "", chunkSize: 128 },
    bytes: "04 000000 000000 08 01000000",
  },
  {
    rule: "CHK14",
    says: "data just before the extended time, in two chunks",
    media: { kind: "data", timestamp: 0xfffffe, messageStreamId: sid(2), body: "02 00 01", chunkSize: 2 },
    bytes: "05 fffffe 000003 12 02000000 0200 c5 01",
  },
  {
    rule: "CHK14",
    says: "video with the extended time on every chunk",
    media: { kind: "video", timestamp: 0xffffff, messageStreamId: sid(1), body: "01 02 03 04", chunkSize: 2 },
    bytes: "06 ffffff 000004 09 01000000 00ffffff 0102 c6 00ffffff 0304",
  },
] as const;

for (const { rule, says, media, bytes } of MEDIA_GOLDEN) {
  test(`[${rule}] media message: ${says}`, () => {
    const body = hex(media.body);
    const target = new Uint8Array(mediaMessageByteCount(body.length, media.timestamp, media.chunkSize) + 2);
    assert.equal(encodeMediaMessageInto(target, 1, { ...media, body }), target.length - 1);
    assert.equal(toHex(target.subarray(1, -1)), toHex(hex(bytes)));
  });
}

test("[CHK14] whatever is written reads back, with the size foretold", () => {
  const times = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0xfffffe, 0xffffff, 0x1000000, 0xffffffff));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), times, fc.nat(5), (body, timestamp, stream) => {
      const message = { chunkStreamId: 9 as ChunkStreamId, typeId: 9, timestamp, messageStreamId: sid(stream), body };
      const target = new Uint8Array(messageByteCount(body.length, timestamp, 128));
      assert.equal(encodeMessageInto(target, 0, { ...message, chunkSize: 128 }), target.length);
      const [read, ...more] = readMessages(target);
      assert.deepEqual(more, []);
      assert.deepEqual(read, { typeId: 9, timestamp, messageStreamId: stream, payload: body });
    }),
  );
});

test("[CHK15] media stands between messages of the dialogue unharmed", () => {
  const server = createServer();
  server.receive(join(plainHandshake(), CONNECT));
  server.acceptConnect();
  const dialogue = (server.nextOutput() as Uint8Array).subarray(1 + 2 * 1536);
  server.sendUserControl({ type: "stream-begin", messageStreamId: sid(1) });
  const after = server.nextOutput() as Uint8Array;
  const body = new Uint8Array(70_000).fill(7);
  const media = new Uint8Array(mediaMessageByteCount(body.length, 5, 60_000));
  encodeMediaMessageInto(media, 0, { kind: "video", timestamp: 5, messageStreamId: sid(1), body, chunkSize: 60_000 });
  const types = readMessages(join(dialogue, media, after, media)).map((message) => message.typeId);
  assert.deepEqual(types, [5, 6, 1, 20, 9, 4, 9]);
  const { AUDIO, VIDEO, DATA, ...others } = CHUNK_STREAM;
  for (const id of [AUDIO, VIDEO, DATA]) assert.ok(!Object.values(others).includes(id as never));
});

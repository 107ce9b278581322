/** Bodies of FLV audio and video tags in the legacy form, for AVC and AAC. FLV Annex E.4.2, E.4.3 */

const KEYFRAME_AVC = 0x17;
const INTER_FRAME_AVC = 0x27;
/** AAC, and the three fields that are fixed for it: 44 kHz, 16 bits, stereo. */
const AAC = 0xaf;
const SEQUENCE_HEADER = 0;
const CODED = 1;

/** @param record  an AVCDecoderConfigurationRecord; copied, as every argument here */
export function avcSequenceHeader(record: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([KEYFRAME_AVC, SEQUENCE_HEADER, 0, 0, 0], record);
}

/** An access unit of one NAL unit, shown when decoded. */
export function avcFrame(nalUnit: Uint8Array, isKeyframe: boolean): Uint8Array<ArrayBuffer> {
  const n = nalUnit.length;
  const head = [isKeyframe ? KEYFRAME_AVC : INTER_FRAME_AVC, CODED, 0, 0, 0];
  return joined([...head, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff], nalUnit);
}

export function aacSequenceHeader(audioSpecificConfig: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([AAC, SEQUENCE_HEADER], audioSpecificConfig);
}

export function aacFrame(rawDataBlock: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([AAC, CODED], rawDataBlock);
}

function joined(head: readonly number[], rest: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(head.length + rest.length);
  body.set(head);
  body.set(rest, head.length);
  return body;
}

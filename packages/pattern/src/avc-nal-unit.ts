/** Wraps H.264 payloads as NAL units: the header byte, and emulation prevention inside. */

export const NAL_UNIT_TYPES = { nonIdrSlice: 1, idrSlice: 5, sequenceParameterSet: 7, pictureParameterSet: 8 } as const;

export type NalUnitType = (typeof NAL_UNIT_TYPES)[keyof typeof NAL_UNIT_TYPES];

/** Adds the header (nal_ref_idc 3: others depend on it) and breaks up every 00 00 0x with a 03. H.264 §7.3.1, §7.4.1 */
export function encodeNalUnit(type: NalUnitType, rbsp: Uint8Array): Uint8Array<ArrayBuffer> {
  const unit = new Uint8Array(1 + rbsp.length + Math.floor(rbsp.length / 2));
  unit[0] = 0x60 | type;
  let length = 1;
  let zeros = 0;
  for (let i = 0; i < rbsp.length; i++) {
    const byte = rbsp[i] as number;
    if (zeros === 2 && byte <= 3) {
      unit[length++] = 3;
      zeros = 0;
    }
    unit[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return unit.subarray(0, length);
}

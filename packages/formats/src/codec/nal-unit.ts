/** NAL units, the pieces that AVC and HEVC pictures and parameter sets come in. */

/**
 * Views of the NAL units in coded frames, where each stands behind its length.
 * A unit that runs past the end is given as far as it goes, and is the last.
 * @param lengthBytes  1, 2 or 4, as the decoder configuration record says
 */
export function splitNalUnits(data: Uint8Array, lengthBytes: number): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = 0; at + lengthBytes <= data.length; ) {
    let length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (data[at + i] as number);
    at += lengthBytes;
    if (length > 0 && at < data.length) units.push(data.subarray(at, at + length));
    at += length;
  }
  return units;
}

/** The raw payload of a unit: the 3 of every 0 0 3 taken out. The unit itself when there is none. H.264 §7.4.1 */
export function removeEmulationPrevention(unit: Uint8Array): Uint8Array {
  const first = findEmulationByte(unit, 0);
  if (first === -1) return unit;
  const raw = new Uint8Array(unit.length - 1);
  let length = 0;
  let from = 0;
  for (let at = first; at !== -1; at = findEmulationByte(unit, from)) {
    raw.set(unit.subarray(from, at), length);
    length += at - from;
    from = at + 1;
  }
  raw.set(unit.subarray(from), length);
  return raw.subarray(0, length + unit.length - from);
}

/** Where the next 3 behind two zeros lies, both zeros at or after `from`; −1 when there is none. */
function findEmulationByte(unit: Uint8Array, from: number): number {
  for (let at = from + 2; at < unit.length; at++) {
    if (unit[at] === 3 && unit[at - 1] === 0 && unit[at - 2] === 0) return at;
  }
  return -1;
}

/** Turns cell pictures into H.264 access units of one slice each: the changed macroblocks, and runs of skips between. */
import { encodeNalUnit, NAL_UNIT_TYPES } from "./avc-nal-unit.ts";
import { LOG2_MAX_FRAME_NUM } from "./avc-parameter-sets.ts";
import { writeMacroblock } from "./avc-macroblock.ts";
import { BitWriter } from "./bit-writer.ts";
import { CellPicture } from "./cell-picture.ts";

/** slice_type of a picture whose slices are all alike. Table 7-6 */
const SLICE_TYPES = { predicted: 5, intra: 7 } as const;
const DEBLOCKING_OFF = 1;

export class AvcEncoder {
  /** What decoders hold now: every picture is coded against the one before. */
  readonly #decoded: CellPicture;
  readonly #writer = new BitWriter(16 * 1024);
  /** 0 at an IDR picture, then one more each picture, modulo 2⁸. */
  #frameNum = 0;
  /** Alternates, so that adjacent IDR pictures differ. §7.4.3 */
  #idrPicId = 0;

  /** @param width  in cells, as `height`; both even */
  constructor(width: number, height: number) {
    this.#decoded = new CellPicture(width, height);
  }

  /** The NAL unit of a picture that needs no other; start with one. */
  encodeIdr(picture: CellPicture): Uint8Array<ArrayBuffer> {
    this.#frameNum = 0;
    this.#idrPicId ^= 1;
    const w = this.#writer;
    this.#writeSliceHeader("intra");
    for (let mbY = 0; mbY < picture.height / 2; mbY++) {
      for (let mbX = 0; mbX < picture.width / 2; mbX++) writeMacroblock(w, picture, mbX, mbY, "intra");
    }
    this.#decoded.copyFrom(picture);
    return encodeNalUnit(NAL_UNIT_TYPES.idrSlice, w.rbspTrailingBits().finish());
  }

  /** The NAL unit of what changed since the picture before. */
  encodePredicted(picture: CellPicture): Uint8Array<ArrayBuffer> {
    this.#frameNum = (this.#frameNum + 1) % (1 << LOG2_MAX_FRAME_NUM);
    const w = this.#writer;
    this.#writeSliceHeader("predicted");
    const skipped = this.#writeChanged(picture);
    if (skipped > 0) w.ue(skipped);
    this.#decoded.copyFrom(picture);
    return encodeNalUnit(NAL_UNIT_TYPES.nonIdrSlice, w.rbspTrailingBits().finish());
  }

  /** Answers how many macroblocks at the end are still to be skipped. §7.3.4 */
  #writeChanged(picture: CellPicture): number {
    const w = this.#writer;
    let skipped = 0;
    for (let mbY = 0; mbY < picture.height / 2; mbY++) {
      for (let mbX = 0; mbX < picture.width / 2; mbX++) {
        if (!this.#isChanged(picture, mbX, mbY)) {
          skipped++;
          continue;
        }
        w.ue(skipped); // mb_skip_run
        skipped = 0;
        writeMacroblock(w, picture, mbX, mbY, "predicted");
      }
    }
    return skipped;
  }

  #isChanged(picture: CellPicture, mbX: number, mbY: number): boolean {
    const { cells, width } = picture;
    const decoded = this.#decoded.cells;
    const top = 2 * mbY * width + 2 * mbX;
    const low = top + width;
    return (
      cells[top] !== decoded[top] ||
      cells[top + 1] !== decoded[top + 1] ||
      cells[low] !== decoded[low] ||
      cells[low + 1] !== decoded[low + 1]
    );
  }

  /** §7.3.3 */
  #writeSliceHeader(kind: "intra" | "predicted"): void {
    const w = this.#writer;
    w.ue(0).ue(SLICE_TYPES[kind]).ue(0); // first_mb_in_slice, slice_type, pic_parameter_set_id
    w.put(this.#frameNum, LOG2_MAX_FRAME_NUM);
    if (kind === "intra") {
      w.ue(this.#idrPicId);
      w.put(0, 2); // dec_ref_pic_marking: output what is pending, not a long-term reference
    } else {
      w.put(0, 2); // no override of the reference count, no reordering of the list
      w.put(0, 1); // dec_ref_pic_marking: sliding window
    }
    w.se(0).ue(DEBLOCKING_OFF); // slice_qp_delta, disable_deblocking_filter_idc
  }
}

/** H.264 sequence and picture parameter sets of the test pattern, and the configuration record that carries them. */
import { BitWriter } from "./bit-writer.ts";
import { encodeNalUnit, NAL_UNIT_TYPES } from "./avc-nal-unit.ts";

/** What the parameter sets say of the pictures. */
export interface AvcFormat {
  /** Pixels shown; multiples of 8. What does not fill a macroblock is cropped right and below. */
  readonly width: number;
  readonly height: number;
  /** Whole frames per second. */
  readonly fps: number;
}

/** Constrained Baseline: profile 66 with the flags that promise Baseline and Main decoders can read it. */
const PROFILE_IDC = 66;
const CONSTRAINT_FLAGS = 0xc0;
export const LOG2_MAX_FRAME_NUM = 8;
/** Makes a luma DC level of 4·r and a chroma DC level of 4·r decode to exactly r: see `avc-macroblock.ts`. */
const LUMA_QP = 16;
const CHROMA_QP_OFFSET = -6;
const BT709 = 1;
const VIDEO_FORMAT_UNSPECIFIED = 5;

/** Level, macroblocks per second, macroblocks per frame. Table A-1 */
const LEVELS = [
  [20, 11_880, 396],
  [21, 19_800, 792],
  [22, 20_250, 1_620],
  [30, 40_500, 1_620],
  [31, 108_000, 3_600],
  [32, 216_000, 5_120],
  [40, 245_760, 8_192],
  [42, 522_240, 8_704],
  [51, 983_040, 36_864],
] as const;

/** The lowest level that allows this size at this rate. */
function levelIdc(format: AvcFormat): number {
  const macroblocks = Math.ceil(format.width / 16) * Math.ceil(format.height / 16);
  const level = LEVELS.find(
    ([, perSecond, perFrame]) => macroblocks <= perFrame && macroblocks * format.fps <= perSecond,
  );
  if (level === undefined) throw new RangeError(`Cannot choose level: ${macroblocks} macroblocks at ${format.fps} fps`);
  return level[0];
}

/** The NAL unit, 4:2:0, one reference, output in decoding order. §7.3.2.1 */
export function encodeSps(format: AvcFormat): Uint8Array<ArrayBuffer> {
  const widthInMbs = Math.ceil(format.width / 16);
  const heightInMbs = Math.ceil(format.height / 16);
  const w = new BitWriter();
  w.put(PROFILE_IDC, 8).put(CONSTRAINT_FLAGS, 8).put(levelIdc(format), 8);
  w.ue(0); // seq_parameter_set_id
  w.ue(LOG2_MAX_FRAME_NUM - 4);
  w.ue(2); // pic_order_cnt_type: output order is decoding order
  w.ue(1); // max_num_ref_frames
  w.put(0, 1); // gaps_in_frame_num_value_allowed_flag
  w.ue(widthInMbs - 1).ue(heightInMbs - 1);
  w.put(1, 1); // frame_mbs_only_flag
  w.put(1, 1); // direct_8x8_inference_flag
  writeCropping(w, (widthInMbs * 16 - format.width) / 2, (heightInMbs * 16 - format.height) / 2);
  w.put(1, 1); // vui_parameters_present_flag
  writeVui(w, format.fps);
  return encodeNalUnit(NAL_UNIT_TYPES.sequenceParameterSet, w.rbspTrailingBits().finish());
}

/** @param right  in units of two pixels, as `bottom` */
function writeCropping(w: BitWriter, right: number, bottom: number): void {
  const isCropped = right > 0 || bottom > 0;
  w.put(isCropped ? 1 : 0, 1);
  if (isCropped) w.ue(0).ue(right).ue(0).ue(bottom);
}

/** Square pixels, BT.709 in limited range, a fixed frame rate, nothing to reorder. Annex E.1.1 */
function writeVui(w: BitWriter, fps: number): void {
  w.put(1, 1).put(1, 8); // aspect_ratio_info: 1:1
  w.put(0, 1); // overscan_info_present_flag
  w.put(1, 1).put(VIDEO_FORMAT_UNSPECIFIED, 3).put(0, 1); // video_signal_type, limited range
  w.put(1, 1).put(BT709, 8).put(BT709, 8).put(BT709, 8); // primaries, transfer, matrix
  w.put(0, 1); // chroma_loc_info_present_flag
  w.put(1, 1)
    .u32(1)
    .u32(2 * fps)
    .put(1, 1); // timing: two ticks a frame, fixed rate
  w.put(0, 2).put(0, 1); // no NAL or VCL HRD, no pic_struct
  w.put(1, 1).put(1, 1); // bitstream_restriction, motion vectors over picture boundaries
  w.ue(0).ue(0); // bytes per picture and bits per macroblock: no promise
  w.ue(0).ue(0); // motion vectors are all zero
  w.ue(0).ue(1); // max_num_reorder_frames, max_dec_frame_buffering
}

/** The NAL unit: CAVLC, one slice group, the fixed quantiser. §7.3.2.2 */
export function encodePps(): Uint8Array<ArrayBuffer> {
  const w = new BitWriter();
  w.ue(0).ue(0); // pic_parameter_set_id, seq_parameter_set_id
  w.put(0, 2); // entropy_coding_mode_flag: CAVLC; bottom_field_pic_order_in_frame_present_flag
  w.ue(0); // num_slice_groups_minus1
  w.ue(0).ue(0); // one reference in either list
  w.put(0, 3); // weighted_pred_flag, weighted_bipred_idc
  w.se(LUMA_QP - 26)
    .se(0)
    .se(CHROMA_QP_OFFSET);
  w.put(1, 1); // deblocking_filter_control_present_flag: slices switch it off
  w.put(0, 2); // constrained_intra_pred_flag, redundant_pic_cnt_present_flag
  return encodeNalUnit(NAL_UNIT_TYPES.pictureParameterSet, w.rbspTrailingBits().finish());
}

/** Fields of the configuration record with their reserved bits, which are ones. */
const LENGTHS_OF_FOUR_BYTES = 0xff;
const ONE_SPS = 0xe1;
const ONE_PPS = 1;

/** AVCDecoderConfigurationRecord with four-byte NAL unit lengths. ISO/IEC 14496-15 §5.3.3.1 */
export function encodeAvcConfigRecord(sps: Uint8Array, pps: Uint8Array): Uint8Array<ArrayBuffer> {
  const profile = sps.subarray(1, 4);
  const head = [1, ...profile, LENGTHS_OF_FOUR_BYTES, ONE_SPS, sps.length >> 8, sps.length & 0xff];
  return Uint8Array.from([...head, ...sps, ONE_PPS, pps.length >> 8, pps.length & 0xff, ...pps]);
}

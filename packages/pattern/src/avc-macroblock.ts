/**
 * Codes one macroblock of four flat 8×8 cells as Intra16x16 with DC coefficients only, so that it decodes to exactly
 * the colours asked for.
 *
 * Why exact: with luma QP 16 (and chroma QP 10 by the offset in the picture parameter set) a decoder turns the sum f of
 * DC levels that reaches a 4×4 block into the residual f/4 (§8.5.10, §8.5.11.2; the core transform adds nothing to a
 * lone DC). The 2×2 Hadamard transform of four residuals, spread back over the four, gives each of them times four.
 *
 * No coefficient besides DC is ever sent, so the context nC of every luma block is 0, whatever the neighbours. The
 * picture decodes to what was painted, so a neighbour's pixels are read from the painted picture.
 */
import type { BitWriter } from "./bit-writer.ts";
import { writeResidualBlock } from "./cavlc.ts";
import { CHROMA_DC, LUMA_DC } from "./cavlc-tables.ts";
import type { CellPicture } from "./cell-picture.ts";

/** One plane of the four cells: top left, top right, bottom left, bottom right. */
type Quad = readonly [number, number, number, number];

/** A way to predict, and the transformed residual that it leaves. */
interface Prediction {
  readonly mode: number;
  readonly cost: number;
  readonly levels: readonly Quad[];
}

/** Where colours of a plane stand in a `Colour`. */
const LUMA = 16;
const CB = 8;
const CR = 0;

const LUMA_MODES = { vertical: 0, horizontal: 1, dc: 2 } as const;
const CHROMA_MODES = { dc: 0, horizontal: 1, vertical: 2 } as const;
/** Every predicted sample when neither neighbour exists. */
const MID: Quad = [128, 128, 128, 128];

/** Cell indices of a macroblock and of the cells that touch it; −1 where the picture ends. */
class Place {
  readonly own: Quad;
  readonly hasLeft: boolean;
  readonly hasAbove: boolean;
  readonly #cells: Uint32Array;
  readonly #width: number;

  constructor(picture: CellPicture, mbX: number, mbY: number) {
    const top = 2 * mbY * picture.width + 2 * mbX;
    this.own = [top, top + 1, top + picture.width, top + picture.width + 1];
    this.hasLeft = mbX > 0;
    this.hasAbove = mbY > 0;
    this.#cells = picture.cells;
    this.#width = picture.width;
  }

  at(index: number, plane: number): number {
    return ((this.#cells[index] as number) >>> plane) & 0xff;
  }

  target(plane: number): Quad {
    const [a, b, c, d] = this.own;
    return [this.at(a, plane), this.at(b, plane), this.at(c, plane), this.at(d, plane)];
  }

  /** The cells above, repeated downwards. */
  fromAbove(plane: number): Quad {
    const left = this.at(this.own[0] - this.#width, plane);
    const right = this.at(this.own[1] - this.#width, plane);
    return [left, right, left, right];
  }

  /** The cells to the left, repeated to the right. */
  fromLeft(plane: number): Quad {
    const top = this.at(this.own[0] - 1, plane);
    const bottom = this.at(this.own[2] - 1, plane);
    return [top, top, bottom, bottom];
  }

  /** Their mean over whichever exist. §8.3.3.3 */
  lumaMean(): Quad {
    let sum = 0;
    let count = 0;
    for (const edge of this.#edges()) {
      sum += edge[0] + edge[3];
      count += 2;
    }
    if (count === 0) return MID;
    const mean = (sum + count / 2) >> (count === 4 ? 2 : 1);
    return [mean, mean, mean, mean];
  }

  #edges(): Quad[] {
    const edges: Quad[] = [];
    if (this.hasAbove) edges.push(this.fromAbove(LUMA));
    if (this.hasLeft) edges.push(this.fromLeft(LUMA));
    return edges;
  }
}

/** @param sliceKind  in P slices the numbers of intra macroblock types start after the five inter ones */
export function writeMacroblock(
  w: BitWriter,
  picture: CellPicture,
  mbX: number,
  mbY: number,
  sliceKind: "intra" | "predicted",
): void {
  const place = new Place(picture, mbX, mbY);
  const luma = predictLuma(place);
  const chroma = predictChroma(place);
  const hasChroma = chroma.cost > 0;
  w.ue((sliceKind === "intra" ? 1 : 6) + luma.mode + (hasChroma ? 4 : 0)); // mb_type, Table 7-11
  w.ue(chroma.mode); // intra_chroma_pred_mode
  w.put(1, 1); // mb_qp_delta: 0
  writeResidualBlock(w, LUMA_DC, lumaScan(luma.levels[0] as Quad));
  if (hasChroma) for (const levels of chroma.levels) writeResidualBlock(w, CHROMA_DC, levels);
}

/** Zigzag places the 4×4 transform's frequencies that follow the halves of a macroblock at 0, 1, 2 and 4. */
function lumaScan(levels: Quad): readonly number[] {
  return [levels[0], levels[1], levels[2], 0, levels[3]];
}

function predictLuma(place: Place): Prediction {
  const target = [place.target(LUMA)];
  let best = leave(LUMA_MODES.dc, target, [place.lumaMean()]);
  if (place.hasAbove) best = better(best, leave(LUMA_MODES.vertical, target, [place.fromAbove(LUMA)]));
  if (place.hasLeft) best = better(best, leave(LUMA_MODES.horizontal, target, [place.fromLeft(LUMA)]));
  return best;
}

/** DC prediction of chroma differs by block, so it serves only where there is no neighbour at all. §8.3.4 */
function predictChroma(place: Place): Prediction {
  const target = [place.target(CB), place.target(CR)];
  let best: Prediction | undefined;
  if (place.hasLeft) best = leave(CHROMA_MODES.horizontal, target, [place.fromLeft(CB), place.fromLeft(CR)]);
  if (place.hasAbove) {
    best = better(best, leave(CHROMA_MODES.vertical, target, [place.fromAbove(CB), place.fromAbove(CR)]));
  }
  return best ?? leave(CHROMA_MODES.dc, target, [MID, MID]);
}

function better(a: Prediction | undefined, b: Prediction): Prediction {
  return a === undefined || b.cost < a.cost ? b : a;
}

/** What `predicted` leaves to code; the cost counts coefficients first, then their sizes. */
function leave(mode: number, target: readonly Quad[], predicted: readonly Quad[]): Prediction {
  let cost = 0;
  const levels = target.map((quad, i) => {
    const transformed = hadamard(subtract(quad, predicted[i] as Quad));
    for (const level of transformed) if (level !== 0) cost += 8 + 31 - Math.clz32(Math.abs(level));
    return transformed;
  });
  return { mode, cost, levels };
}

function subtract(a: Quad, b: Quad): Quad {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]];
}

function hadamard([a, b, c, d]: Quad): Quad {
  return [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d];
}

/** A picture made of flat 8×8-pixel cells, the finest grain that the encoder carries exactly. */

/** Luma, Cb and Cr, 8 bits each, as `y << 16 | cb << 8 | cr`. */
export type Colour = number;

export const CELL_PIXELS = 8;

export class CellPicture {
  /** In cells; both even, so that the cells make whole macroblocks. */
  readonly width: number;
  readonly height: number;
  /** Row by row from the top left. */
  readonly cells: Uint32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.cells = new Uint32Array(width * height);
  }

  /** Paints a rectangle; what lies outside the picture is left out. */
  fill(x: number, y: number, width: number, height: number, colour: Colour): void {
    const left = Math.max(0, x);
    const right = Math.min(this.width, x + width);
    const bottom = Math.min(this.height, y + height);
    if (right <= left) return;
    for (let row = Math.max(0, y); row < bottom; row++) {
      this.cells.fill(colour, row * this.width + left, row * this.width + right);
    }
  }

  /** @param other  of the same size */
  copyFrom(other: CellPicture): void {
    this.cells.set(other.cells);
  }
}

/** Colour of red, green and blue, 0 to 1 each, by BT.709 in limited range (luma 16–235, chroma 16–240). */
export function bt709(red: number, green: number, blue: number): Colour {
  const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const y = Math.round(16 + 219 * luma);
  const cb = Math.round(128 + (224 * (blue - luma)) / 1.8556);
  const cr = Math.round(128 + (224 * (red - luma)) / 1.5748);
  return (y << 16) | (cb << 8) | cr;
}

/** The test card: colour bars, a grey ramp, the time of day, a frame counter, and things that move. */
import type { Millis } from "@sluice/base/brand";
import { bt709, CELL_PIXELS, CellPicture, type Colour } from "./cell-picture.ts";
import { drawText, GLYPH_HEIGHT, textWidth } from "./dot-text.ts";

export interface CardFormat {
  /** Pixels shown; multiples of 8. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** What local time is ahead of UTC. */
  readonly utcOffset: Millis;
}

/** What changes from one picture to the next. */
export interface CardMoment {
  /** Wall-clock time that the picture shows. */
  readonly wall: Millis;
  readonly frameNumber: number;
}

const BLACK = bt709(0, 0, 0);
const WHITE = bt709(1, 1, 1);
const PANEL = bt709(0.05, 0.07, 0.11);
const INK = bt709(0.88, 0.92, 0.97);
const FAINT_INK = bt709(0.45, 0.52, 0.62);
const ACCENT = bt709(0.98, 0.6, 0.12);
const TRACK = bt709(0.16, 0.2, 0.28);

/** Bars of three quarters' brightness, brightest first: which of red, green and blue each has. */
const BARS = ["111", "110", "011", "010", "101", "100", "001"].map((on) =>
  bt709(Number(on[0]) * 0.75, Number(on[1]) * 0.75, Number(on[2]) * 0.75),
);
/** Long enough to see and as long as the beep, so that sound against picture can be judged. */
const FLASH: Millis = 120 as Millis;
const PADDING = 2;
const SWEEP_HEIGHT = 2;

export class TestCard {
  readonly #format: CardFormat;
  /** In cells shown; the picture may have a row or column more. */
  readonly #width: number;
  readonly #height: number;
  readonly #rampTop: number;
  readonly #panelTop: number;
  readonly #clockScale: number;
  /** Everything that never changes. */
  readonly #ground: CellPicture;

  constructor(format: CardFormat) {
    this.#format = format;
    this.#width = format.width / CELL_PIXELS;
    this.#height = format.height / CELL_PIXELS;
    this.#rampTop = Math.round(this.#height * 0.69);
    this.#panelTop = Math.round(this.#height * 0.8);
    this.#clockScale = Math.max(1, Math.floor((this.#width * 0.7) / textWidth("00:00:00", 1)));
    this.#ground = this.createPicture();
    this.#paintGround();
  }

  /** An empty picture of whole macroblocks that this card fits on. */
  createPicture(): CellPicture {
    return new CellPicture(Math.ceil(this.#width / 2) * 2, Math.ceil(this.#height / 2) * 2);
  }

  /** @param picture  from `createPicture`; painted over wholly */
  paint(picture: CellPicture, moment: CardMoment): void {
    const inSecond = moment.wall % 1000;
    picture.copyFrom(this.#ground);
    this.#paintClock(picture, moment.wall + this.#format.utcOffset, inSecond);
    this.#paintBox(picture, moment.frameNumber);
    this.#paintCounter(picture, moment.frameNumber);
    const side = 3 * this.#clockScale;
    picture.fill(this.#width - side - PADDING, PADDING, side, side, inSecond < FLASH ? WHITE : PANEL);
  }

  #paintGround(): void {
    const ground = this.#ground;
    const stripTop = Math.round(this.#height * 0.62);
    ground.fill(0, 0, ground.width, ground.height, BLACK);
    this.#paintBars(0, stripTop, BARS);
    this.#paintBars(
      stripTop,
      this.#rampTop,
      BARS.map((bar, i) => (i % 2 === 0 ? (BARS[6 - i] ?? bar) : BLACK)),
    );
    for (let x = 0; x < this.#width; x++) {
      const grey = x / (this.#width - 1);
      ground.fill(x, this.#rampTop, 1, this.#panelTop - this.#rampTop, bt709(grey, grey, grey));
    }
    ground.fill(0, this.#panelTop, this.#width, this.#height - this.#panelTop, PANEL);
    const { width, height, fps, utcOffset } = this.#format;
    this.#paintLine(2, "SLUICE TEST PATTERN", INK, "left");
    this.#paintLine(2, zoneLabel(utcOffset), FAINT_INK, "right");
    this.#paintLine(1, `${width}X${height} ${fps}FPS`, FAINT_INK, "left");
  }

  #paintBars(top: number, bottom: number, bars: readonly Colour[]): void {
    bars.forEach((bar, i) => {
      const left = Math.round((i * this.#width) / bars.length);
      const right = Math.round(((i + 1) * this.#width) / bars.length);
      this.#ground.fill(left, top, right - left, bottom - top, bar);
    });
  }

  /** A line of the lower panel, counted from the bottom; left out where the panel is too small for it. */
  #paintLine(lineFromBottom: number, text: string, colour: Colour, side: "left" | "right"): void {
    const y = this.#height - lineFromBottom * (GLYPH_HEIGHT + 1);
    const width = textWidth(text, 1);
    const other = textWidth("000000", 1) + 2 * PADDING;
    if (y < this.#panelTop || (side === "left" && width + PADDING + other > this.#width)) return;
    const x = side === "left" ? PADDING : this.#width - PADDING - width;
    drawText(this.#ground, text, { x, y, scale: 1, colour });
  }

  /** The time on a dark panel amid the bars, over a line that fills up in the course of each second. */
  #paintClock(picture: CellPicture, local: number, inSecond: number): void {
    const scale = this.#clockScale;
    const text = new Date(local).toISOString().slice(11, 19);
    const width = textWidth(text, scale);
    const height = GLYPH_HEIGHT * scale;
    const x = Math.floor((this.#width - width) / 2);
    const y = Math.floor((this.#rampTop - height) / 2) - PADDING;
    picture.fill(x - 2 * PADDING, y - PADDING, width + 4 * PADDING, height + 3 * PADDING + SWEEP_HEIGHT, PANEL);
    drawText(picture, text, { x, y, scale, colour: INK });
    const sweepY = y + height + PADDING;
    picture.fill(x, sweepY, width, SWEEP_HEIGHT, TRACK);
    picture.fill(x, sweepY, Math.floor((inSecond / 1000) * width) + 1, SWEEP_HEIGHT, ACCENT);
  }

  /** A square that glides over the ramp and back, one cell a picture. */
  #paintBox(picture: CellPicture, frameNumber: number): void {
    const side = this.#panelTop - this.#rampTop - 2;
    const way = this.#width - side;
    const place = frameNumber % (2 * way);
    const x = place < way ? place : 2 * way - place;
    picture.fill(x, this.#rampTop + 1, side, side, ACCENT);
    picture.fill(x + 1, this.#rampTop + 2, side - 2, side - 2, PANEL);
  }

  #paintCounter(picture: CellPicture, frameNumber: number): void {
    const text = String(frameNumber % 1_000_000).padStart(6, "0");
    const x = this.#width - PADDING - textWidth(text, 1);
    drawText(picture, text, { x, y: this.#height - GLYPH_HEIGHT - 1, scale: 1, colour: INK });
  }
}

/** Such as `UTC` or `UTC+05:30`. */
function zoneLabel(utcOffset: Millis): string {
  if (utcOffset === 0) return "UTC";
  const clock = new Date(Math.abs(utcOffset)).toISOString().slice(11, 16);
  return `UTC${utcOffset < 0 ? "-" : "+"}${clock}`;
}

// Draws the ball on its board, and follows fingers, mouse and arrow keys.
import { BOARD } from "@sluice/client/contract/ball";

/** Where the ball is, in units of the board. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface BoardEvents {
  /** Between a press and its end. */
  readonly held: (isHeld: boolean) => void;
  /** As fast as the screen is drawn, at most. */
  readonly moved: (spot: Spot) => void;
}

/** Units for one press of an arrow key. */
const STEP = 20;

const ARROWS: Readonly<Record<string, Spot>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

export class Board {
  readonly #board: HTMLElement;
  readonly #ball: HTMLElement;
  readonly #events: BoardEvents;
  #spot: Spot = { x: BOARD.width / 2, y: BOARD.height / 2 };
  /** The pointer that holds the ball, and how far from its middle it pressed. */
  #hold: { readonly pointer: number; readonly off: Spot } | undefined;
  #frame = 0;

  constructor(board: HTMLElement, ball: HTMLElement, events: BoardEvents) {
    this.#board = board;
    this.#ball = ball;
    this.#events = events;
    board.addEventListener("pointerdown", (event) => this.#press(event));
    board.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"] as const)
      board.addEventListener(end, (event) => this.#release(event));
    ball.addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  get isHeld(): boolean {
    return this.#hold !== undefined;
  }

  /** What others did. While somebody here holds the ball, it stays under the finger. */
  show(spot: Spot): void {
    if (this.isHeld) return;
    this.#spot = inside(spot);
    this.#draw();
  }

  #press(event: PointerEvent): void {
    if (this.isHeld || event.button !== 0) return;
    event.preventDefault();
    this.#board.setPointerCapture(event.pointerId);
    const at = this.#spotOf(event);
    const isOnBall = event.target === this.#ball;
    const off = isOnBall ? { x: this.#spot.x - at.x, y: this.#spot.y - at.y } : { x: 0, y: 0 };
    this.#hold = { pointer: event.pointerId, off };
    this.#board.classList.add("is-held");
    this.#events.held(true);
    this.#move({ x: at.x + off.x, y: at.y + off.y });
    this.#ball.focus({ preventScroll: true });
  }

  #drag(event: PointerEvent): void {
    const hold = this.#hold;
    if (hold?.pointer !== event.pointerId) return;
    const at = this.#spotOf(event);
    this.#move({ x: at.x + hold.off.x, y: at.y + hold.off.y });
  }

  #release(event: PointerEvent): void {
    if (this.#hold?.pointer !== event.pointerId) return;
    this.#hold = undefined;
    this.#board.classList.remove("is-held");
    this.#tell();
    this.#events.held(false);
  }

  #key(event: KeyboardEvent): void {
    const step = ARROWS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#move({ x: this.#spot.x + step.x, y: this.#spot.y + step.y });
  }

  #move(spot: Spot): void {
    this.#spot = inside(spot);
    this.#draw();
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#tell());
  }

  /** The latest, once. */
  #tell(): void {
    if (this.#frame === 0) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#events.moved(this.#spot);
  }

  #spotOf({ clientX, clientY }: PointerEvent): Spot {
    const { left, top, width, height } = this.#board.getBoundingClientRect();
    const size = this.#ball.offsetWidth; // the ball never sticks out
    return {
      x: ((clientX - left - size / 2) / (width - size)) * BOARD.width,
      y: ((clientY - top - size / 2) / (height - size)) * BOARD.height,
    };
  }

  #draw(): void {
    const { x, y } = this.#spot;
    this.#board.style.setProperty("--x", String(x / BOARD.width));
    this.#board.style.setProperty("--y", String(y / BOARD.height));
    this.#board.classList.toggle("is-low", y > 0.75 * BOARD.height);
    this.#board.dataset["x"] = String(x);
    this.#board.dataset["y"] = String(y);
  }
}

function inside({ x, y }: Spot): Spot {
  const within = (value: number, most: number): number => Math.round(Math.min(most, Math.max(0, value)));
  return { x: within(x, BOARD.width), y: within(y, BOARD.height) };
}

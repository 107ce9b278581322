// The page of the ball: board, names, facts, and the shared object behind them.
import { type BallAbout, BOARD } from "@sluice/client/contract/ball";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/controls.css";
import "../styles/ball.css";
import { Board, type Spot } from "./board.ts";
import { HoldWatch } from "./hold-watch.ts";
import { ownName } from "./own-name.ts";
import { SecondNode } from "./second-node.ts";
import { openBall } from "./open-ball.ts";
import type { BallConnection, BallState, Holder } from "./shared-ball.ts";

/** While the ball is held still, its holder is heard of so often. */
const BEAT = 1_000;
/** The home changes rarely. */
const ABOUT_EVERY = 2_000;
/** Changes under way; with more the network is slow, and only the latest counts. */
const MOST_UNDER_WAY = 8;

class BallPage {
  readonly #board = new Board(element("board"), element("ball"), {
    held: (isHeld) => this.#hold(isHeld),
    moved: (spot) => this.#move(spot),
  });
  readonly #watch = new HoldWatch((holder) => this.#showHolder(holder));
  readonly #second = new SecondNode(element("second"));
  readonly #name = ownName(element("name"));
  readonly #ball = openBall({
    connection: (state) => this.#connected(state),
    changed: (state) => this.#changed(state),
  });
  #node = "";
  #beat = 0;
  #beating: ReturnType<typeof setInterval> | undefined;
  #underWay = 0;
  #waiting: Spot | undefined;

  async about(): Promise<void> {
    if (document.hidden) return;
    const answer = await fetch("/demo/ball/about", { cache: "no-store" }).catch(() => undefined);
    if (answer?.ok !== true) return;
    const about = (await answer.json()) as BallAbout;
    const { home, standby } = about;
    const isHere = home === about.node;
    show("home", home === null ? "nobody’s yet" : isHere ? `${home}, this one` : home);
    element("home").title = isHere ? `Standby: ${standby ?? "none"}` : ""; // the home alone knows
    this.#second.show(about);
  }

  #connected(state: BallConnection): void {
    element("board").dataset["state"] = state.at;
    show("notice", state.at === "open" ? "" : state.at === "connecting" ? "Connecting" : state.reason);
    if (state.at !== "open") return;
    this.#node = state.node;
    show("node", state.node);
    void this.about();
  }

  #changed({ spot, holder }: BallState): void {
    this.#board.show(spot ?? { x: BOARD.width / 2, y: BOARD.height / 2 });
    this.#watch.see(holder);
  }

  #hold(isHeld: boolean): void {
    clearInterval(this.#beating);
    if (isHeld) this.#beating = setInterval(() => void this.#write({ holder: this.#holder() }), BEAT);
    else void this.#write({ holder: null });
  }

  #move(spot: Spot): void {
    if (this.#underWay >= MOST_UNDER_WAY) {
      this.#waiting = spot;
      return;
    }
    void this.#write(this.#board.isHeld ? { spot, holder: this.#holder() } : { spot });
  }

  async #write(change: { readonly spot?: Spot; readonly holder?: Holder | null }): Promise<void> {
    this.#underWay++;
    const since = performance.now();
    const failure = await this.#ball.change(change);
    this.#underWay--;
    show("delay", failure ?? `${(performance.now() - since).toFixed(1)} ms`);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#move(waiting);
  }

  #holder(): Holder {
    const now = Math.floor(performance.now() / BEAT);
    this.#beat = Math.max(this.#beat, now);
    return { name: this.#name(), node: this.#node, beat: this.#beat };
  }

  #showHolder(holder: Holder | undefined): void {
    show("dragger", holder === undefined ? "nobody" : `${holder.name}, on ${holder.node}`);
    show("tag", holder === undefined ? "" : holder.name);
  }
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`Cannot open the ball: the page has no #${id}`);
  return found;
}

function show(id: string, text: string): void {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
}

const page = new BallPage();
setInterval(() => void page.about(), ABOUT_EVERY);

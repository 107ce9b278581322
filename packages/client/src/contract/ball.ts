/** The ball of `/demo/ball`: where it is, and what its page asks the node that served it. */

/** Connect path and name; together the object's path. Any client may open it. */
export const BALL = { app: "ballControl", name: "ball", path: "ballControl/ball" } as const;

/** The board that positions are on, whatever size it is drawn in; `x` and `y` are the middle of the ball. */
export const BOARD = { width: 1_000, height: 600 } as const;

/** `GET /demo/ball/about` */
export interface BallAbout {
  /** Id of the answering node. */
  readonly node: string;
  /** Id of the node that orders the ball's changes; null while nobody has it open. */
  readonly home: string | null;
  readonly standby: string | null;
  /** Other nodes that serve the page. Empty for whoever may not see the API. */
  readonly others: readonly { readonly id: string; readonly address: string }[];
  /** What to run for one more node on this machine; null for whoever may not see the API. */
  readonly commands: readonly { readonly label: string; readonly line: string }[] | null;
}

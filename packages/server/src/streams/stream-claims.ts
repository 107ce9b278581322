/** Tells the cluster which streams this node publishes: a claim to be the home of each, until its grace window is over. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { type Directory, DirectoryFullError } from "@sluice/cluster/directory/directory";
import type { ClaimState, HomeClaim } from "@sluice/cluster/directory/home-claim";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";

export interface StreamClaimsOptions {
  readonly self: string;
  readonly streams: Pick<StreamDirectory, "ownState" | "findEntry" | "entries" | "giveUp">;
  readonly clock: Clock;
  readonly graceOf: (key: StreamKey) => Millis;
  readonly isShared: (key: StreamKey) => boolean;
  /** Asks another node to leave the stream to this one. `free`: it does, or cannot be asked. Never rejects. */
  readonly askHolder: (node: string, key: StreamKey) => Promise<"free" | "taken">;
  readonly log: Log;
}

/** How long another home may stand in the way before it counts as living. Must outlast the lease of one that died, after a change of leader too. */
const CONTEST = 7_000 as Millis;

export class StreamClaims {
  readonly #options: StreamClaimsOptions;
  readonly #claims = new Map<StreamKey, HomeClaim>();
  #directory: Pick<Directory, "claimStream"> | undefined;

  constructor(options: StreamClaimsOptions) {
    this.#options = options;
  }

  /** The directory is open: what is published already is claimed now. */
  open(directory: Pick<Directory, "claimStream">): void {
    this.#directory = directory;
    for (const { stream } of this.#options.streams.entries()) this.update(stream.key);
  }

  /** A publication of this node began or ended. */
  update(key: StreamKey): void {
    const { streams, isShared } = this.#options;
    const publication = streams.findEntry(key)?.stream.publication;
    if (streams.ownState(key) === undefined || publication === undefined || !isShared(key)) return this.#release(key);
    if (this.#claims.get(key)?.wish.fields.publication === publication) return;
    this.#claim(key, publication);
  }

  #claim(key: StreamKey, publication: string): void {
    const { self, log } = this.#options;
    try {
      const claim = this.#directory?.claimStream(key, { publication, publisherAt: self, ifTaken: "wait" });
      if (claim !== undefined) this.#hold(key, claim);
    } catch (error) {
      if (!(error instanceof DirectoryFullError)) throw error;
      log.warn({ key, err: error }, "Other nodes do not hear of the stream");
    }
  }

  /** Of two nodes that let in a publisher at once one has the stream: the publisher of the other is told. */
  #hold(key: StreamKey, claim: HomeClaim): void {
    const { streams, clock, graceOf, askHolder } = this.#options;
    let contest: Timer | undefined;
    this.#claims.set(key, claim);
    claim.onChange((state: ClaimState) => {
      contest?.cancel();
      if (this.#claims.get(key) !== claim) return;
      if (state.at === "lost") streams.giveUp(key, state.to?.home ?? "", graceOf(key));
      if (state.at !== "claiming" || state.why !== "taken" || state.by === undefined) return;
      const { home, publisherAt } = state.by;
      const giveUp = (): void => {
        if (this.#claims.get(key) === claim) streams.giveUp(key, home, graceOf(key));
      };
      contest = clock.after(CONTEST, giveUp);
      void askHolder(publisherAt, key).then((answer) => {
        if (answer === "taken" && claim.state.at === "claiming") giveUp();
      });
    });
  }

  #release(key: StreamKey): void {
    this.#claims.get(key)?.release();
    this.#claims.delete(key);
  }
}

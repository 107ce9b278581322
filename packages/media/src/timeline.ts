/** Maps publishers' clocks onto one timeline that never goes back, whatever one frame or one track says. */
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import { type Frame, type FrameKind, isCoded, type PublishedUnit, type Timestamp } from "./frame.ts";
import { on, STEP, TrackClock } from "./track-clock.ts";

/** Least gap between the furthest frame and the first one of a new clock. */
const RESET_GAP = 20;

/** How far a joiner's set-up may be stamped before its first frame; above the usual skew between audio and video. */
const SET_UP_LEAD = 250 as Millis;

/** How far a track's first frame may lie from the others' place; must outlast FFmpeg's interleaving (10 s). */
const FIRST_SKEW = 15_000 as Millis;

/** A track further behind than this, for longer than the patience, is on a clock of its own: above any encoder's skew. */
const APART = 5_000 as Millis;
const APART_PATIENCE = 3_000 as Millis;

/** Largest gap between two clocks: times compare modulo 2³², so half of that ahead would count as behind. */
const LONGEST_GAP = 2 ** 30;

/**
 * Within a publication a constant is added, so times are the encoder's own; the first publication adds zero.
 * Coded frames alone move the line: many encoders stamp set-up, metadata and empty messages with zero.
 *
 * A track continues by its own clock as long as its stamps fit. A stamp that does not fit is placed level with its track;
 * three in a row that agree are a new clock: another track's, where they fit that, so that sound and picture stay together.
 */
export class Timeline {
  /** Of the coded frame placed last; `undefined` before the first one of a publication. */
  #offset: number | undefined;
  /** Furthest point handed out to a coded frame. */
  #head: Timestamp | undefined;
  #headAt: Millis = 0 as Millis;
  readonly #tracks = new Map<string, TrackClock>();
  /** Added to what another node placed; `undefined` before its first coded frame. */
  #shift: number | undefined;

  /** Furthest point of the line; `undefined` before the first coded frame. */
  get head(): Timestamp | undefined {
    return this.#head;
  }

  /** The next timestamp comes from another publication; its first coded frame goes on after the time that passed. */
  startPublication(): void {
    this.#offset = undefined;
    this.#shift = undefined;
    for (const track of this.#tracks.values()) track.startPublication();
  }

  /** @param now  monotonic: how far a stamp may go ahead, and how long it was between two publications */
  place(unit: Pick<PublishedUnit, "kind" | "role" | "trackId" | "timestamp">, now: Millis): Timestamp {
    const { role, timestamp } = unit;
    const track = this.#trackOf(unit.kind, unit.trackId);
    return role === "key" || role === "delta"
      ? this.#placeCoded(track, timestamp, now)
      : this.#placeUntimed(track, timestamp, now);
  }

  /**
   * Where a frame goes that another node has placed: there, unless its track stands further. A publication that begins far
   * behind this line goes on after the time that passed.
   */
  adopt(frame: Pick<Frame, "kind" | "role" | "trackId" | "dts">, now: Millis): Timestamp {
    const track = this.#trackOf(frame.kind, frame.trackId);
    if (!isCoded(frame))
      return this.#head === undefined ? (track.untimed = frame.dts) : track.advance(this.#shifted(frame));
    const isBehind = this.#head !== undefined && serialDistance(this.#head, frame.dts) < -STEP;
    this.#shift ??= isBehind ? this.#offsetOnwards(frame.dts, now, 1) : 0;
    return this.#reach(track.advance(this.#shifted(frame)), now);
  }

  /** The time for set-up of a track that is sent before a frame at `dts`: where the track stands, or shortly before. */
  setUpTime(kind: FrameKind, trackId: number, dts: Timestamp): Timestamp {
    const track = this.#trackOf(kind, trackId);
    const { last, untimed = dts } = track;
    if (last !== undefined) return serialDistance(dts, last) < -SET_UP_LEAD ? on(dts, -SET_UP_LEAD) : last;
    const lead = on(dts, -Math.min(SET_UP_LEAD, dts));
    const isNear = serialDistance(lead, untimed) >= 0 && serialDistance(untimed, dts) >= 0;
    const place = isNear ? untimed : lead;
    return this.#head === undefined ? place : track.advance(place); // its first frame stays behind it
  }

  #trackOf(kind: FrameKind, trackId: number): TrackClock {
    const name = trackName(kind, trackId);
    const known = this.#tracks.get(name);
    if (known !== undefined) return known;
    const track = new TrackClock();
    this.#tracks.set(name, track);
    return track;
  }

  #placeCoded(track: TrackClock, timestamp: number, now: Millis): Timestamp {
    const at = this.#read(track, timestamp, now);
    if (at === undefined) return track.advance(this.#standOf(track));
    this.#offset = track.offset;
    return this.#reach(track.advance(at), now);
  }

  #reach(place: Timestamp, now: Millis): Timestamp {
    if (this.#head === undefined || serialDistance(this.#head, place) > 0) {
      this.#head = place;
      this.#headAt = now;
    }
    return place;
  }

  #shifted({ dts }: Pick<Frame, "dts">): Timestamp {
    return on(dts, this.#shift ?? 0);
  }

  /** Where its stamp puts it or, without a fitting one, its track and the line; moves neither. */
  #placeUntimed(track: TrackClock, timestamp: number, now: Millis): Timestamp {
    const head = this.#head;
    if (head === undefined) return (track.untimed = timestamp as Timestamp); // no viewer can have started yet
    if (this.#offset === undefined) return track.advance(on(timestamp, this.#offsetOnwards(timestamp, now, 1)));
    const stands = track.offset === undefined ? head : (track.last as Timestamp);
    const dts = on(timestamp, track.offset ?? this.#offset);
    const place = Math.abs(serialDistance(stands, dts)) < STEP ? dts : stands;
    return track.advance(serialDistance(head, place) > 0 ? head : place);
  }

  /** Where a frame goes whose stamp says nothing: level with its track, or with the line where the track is not near it. */
  #standOf({ last, offset }: TrackClock): Timestamp {
    const head = this.#head as Timestamp;
    return last === undefined || offset === undefined || serialDistance(last, head) > APART ? head : last;
  }

  /** Where a stamp lies on the line; `undefined` while that is in doubt. */
  #read(track: TrackClock, timestamp: number, now: Millis): Timestamp | undefined {
    if (this.#offset === undefined) return track.accept(timestamp, this.#offsetOnwards(timestamp, now, 1));
    const fitting = this.#fittingOffset(track, timestamp, now);
    if (fitting !== undefined && !this.#isApart(track, on(timestamp, fitting), now))
      return track.accept(timestamp, this.#commonOffset(timestamp, fitting));
    if (fitting === undefined) {
      const verdict = track.addDoubt(timestamp, this.#guess(track, timestamp, now), now);
      if (verdict === "in-doubt") return undefined;
      if (verdict !== "no-clock") return track.accept(timestamp, verdict.offset);
    }
    return track.accept(timestamp, this.#offsetOnwards(timestamp, now, RESET_GAP));
  }

  /** The track's own, else another track's: clocks that went apart may come together again. */
  #fittingOffset(track: TrackClock, timestamp: number, now: Millis): number | undefined {
    if (track.offset !== undefined && this.#fits(track, on(timestamp, track.offset), now)) return track.offset;
    const head = this.#head as Timestamp;
    const skew = (offset: number): number => Math.abs(serialDistance(head, on(timestamp, offset)));
    let best: number | undefined;
    for (const { offset } of this.#tracks.values())
      if (offset !== undefined && this.#fits(track, on(timestamp, offset), now))
        if (best === undefined || skew(offset) < skew(best)) best = offset;
    return best;
  }

  /** Tracks whose stamps agree share one clock, whatever their places on the line: the one behind moves up. */
  #commonOffset(timestamp: number, offset: number): number {
    let common = offset;
    for (const other of this.#tracks.values())
      if (other.offset !== undefined && other.offset !== common && other.agreesWith(timestamp))
        if (serialDistance(common, other.offset) > 0) common = other.offset;
    return common;
  }

  /** No further ahead than time has passed, no further back than jitter, or than interleaving for a first frame. */
  #fits(track: TrackClock, dts: Timestamp, now: Millis): boolean {
    const ahead = serialDistance(this.#head as Timestamp, dts);
    if (ahead > STEP + (now - this.#headAt)) return false;
    return track.offset === undefined ? ahead >= -FIRST_SKEW : serialDistance(track.at, dts) > -STEP;
  }

  /** The clock of which a stamp that fits none may be the first: one that another track is in doubt about, or a new one. */
  #guess(track: TrackClock, timestamp: number, now: Millis): number {
    const offset = this.#offset as number;
    const skew = serialDistance(this.#head as Timestamp, on(timestamp, offset));
    if (track.offset === undefined && Math.abs(skew) <= FIRST_SKEW) return offset;
    for (const { doubt } of this.#tracks.values())
      if (doubt !== undefined && this.#fits(track, on(timestamp, doubt.offset), now)) return doubt.offset;
    return this.#offsetOnwards(timestamp, now, RESET_GAP);
  }

  /** It has been far behind the other tracks for long: its clock stood still, or never was theirs. */
  #isApart(track: TrackClock, at: Timestamp, now: Millis): boolean {
    if (serialDistance(at, this.#head as Timestamp) <= APART) {
      track.apartSince = undefined;
      return false;
    }
    track.apartSince ??= now;
    return now - track.apartSince >= APART_PATIENCE;
  }

  /** What brings the stamp to where the line stands by now, at least `gap` after the furthest frame. */
  #offsetOnwards(timestamp: number, now: Millis, gap: number): number {
    if (this.#head === undefined) return 0;
    const since = Math.min(LONGEST_GAP, Math.max(gap, Math.round(now - this.#headAt)));
    return serialDistance(timestamp, serialAdd(this.#head, since));
  }
}

function trackName(kind: FrameKind, trackId: number): string {
  return trackId === 0 ? kind : `${kind}${trackId}`;
}

/** Events that a Redis Sentinel would publish: the differences between two views of the cluster. */
import type { ClusterView, MemberRow } from "./command-backend.ts";
import { MASTER_NAME, type SentinelView, sentinelView } from "./sentinel-view.ts";

export interface SentinelEvent {
  readonly channel: string;
  readonly message: string;
}

interface Health {
  readonly channel: "sdown" | "odown";
  /** Kind, name, host and port: identify it across views. */
  readonly words: string;
  readonly isDown: boolean;
  /** Appended to the words when it goes down. */
  readonly more?: string;
}

interface Look {
  readonly view: SentinelView;
  readonly health: readonly Health[];
}

export class SentinelEvents {
  #last: Look | undefined;

  /** Changes since the last call, in the order of a Sentinel; none the first time. */
  next(cluster: ClusterView): readonly SentinelEvent[] {
    const view = sentinelView(cluster);
    if (view === undefined) return [];
    const last = this.#last;
    const look = { view, health: healthOf(view) };
    this.#last = look;
    if (last === undefined) return [];
    return [...changesOfPlace(last.view, view), ...departures(last, look), ...changesOfHealth(last, look)];
  }
}

/** A new master, and replicas to announce: all after a switch, otherwise those added or moved. */
function changesOfPlace(last: SentinelView, { master, replicas, sentinels }: SentinelView): readonly SentinelEvent[] {
  const events: SentinelEvent[] = [];
  const isSwitch = addressOf(master) !== addressOf(last.master);
  if (isSwitch) {
    const message = `${MASTER_NAME} ${addressOf(last.master)} ${addressOf(master)}`;
    events.push({ channel: "+switch-master", message });
  }
  const [knownReplicas, knownSentinels] = [addressesOf(last.replicas), addressesOf(last.sentinels)];
  for (const row of replicas) {
    if (isSwitch || !knownReplicas.has(addressOf(row)))
      events.push({ channel: "+slave", message: slaveWords(row) + under(master) });
  }
  for (const row of sentinels) {
    if (!knownSentinels.has(addressOf(row)))
      events.push({ channel: "+sentinel", message: sentinelWords(row) + under(master) });
  }
  return events;
}

/** Redis has no event for a removed replica: it is reported as down to clients that read from it. */
function departures(last: Look, { view }: Look): readonly SentinelEvent[] {
  const there = addressesOf([view.master, ...view.replicas]);
  return last.view.replicas
    .filter((row) => !there.has(addressOf(row)) && row.isReachable)
    .map((row) => ({ channel: "+sdown", message: slaveWords(row) + under(view.master) }));
}

function changesOfHealth(last: Look, { view, health }: Look): readonly SentinelEvent[] {
  const wasDown = new Set(last.health.filter(({ isDown }) => isDown).map(nameOf));
  return health
    .filter((one) => one.isDown !== wasDown.has(nameOf(one)))
    .map(({ channel, words, isDown, more = "" }) => {
      const place = words.startsWith("master") ? "" : under(view.master);
      return { channel: `${isDown ? "+" : "-"}${channel}`, message: `${words}${place}${isDown ? more : ""}` };
    });
}

function healthOf({ master, standing, replicas, sentinels, voters: { quorum } }: SentinelView): readonly Health[] {
  const isLost = standing === "lost";
  const words = `master ${MASTER_NAME} ${addressOf(master)}`;
  return [
    { channel: "sdown", words, isDown: isLost || standing === "unheard" },
    { channel: "odown", words, isDown: isLost, more: ` #quorum ${quorum}/${quorum}` },
    ...replicas.map((row): Health => ({ channel: "sdown", words: slaveWords(row), isDown: !row.isReachable })),
    ...sentinels.map((row): Health => ({ channel: "sdown", words: sentinelWords(row), isDown: !row.isReachable })),
  ];
}

function nameOf({ channel, words }: Health): string {
  return `${channel} ${words}`;
}

function addressesOf(rows: readonly MemberRow[]): ReadonlySet<string> {
  return new Set(rows.map(addressOf));
}

function addressOf({ host, port }: MemberRow): string {
  return `${host} ${port}`;
}

function slaveWords(row: MemberRow): string {
  return `slave ${row.host}:${row.port} ${addressOf(row)}`;
}

function sentinelWords(row: MemberRow): string {
  return `sentinel ${row.id} ${addressOf(row)}`;
}

function under(master: MemberRow): string {
  return ` @ ${MASTER_NAME} ${addressOf(master)}`;
}

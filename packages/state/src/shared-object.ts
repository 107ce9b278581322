/** One object on one node: finds its home, follows it, or is it, and changes from one to the other. */
import type { AmfObject } from "@sluice/amf/value";
import type { Timer } from "@sluice/base/clock";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { Outcome } from "./change.ts";
import { ObjectLimitError } from "./errors.ts";
import { Departures } from "./departures.ts";
import { Following, type Interest } from "./following.ts";
import { type HandOverResult, type HomeRole, HomeTenure } from "./home-tenure.ts";
import { type ConnectOptions, ObjectClient } from "./object-client.ts";
import { ObjectCopy } from "./object-copy.ts";
import { type Asked, Outstanding } from "./outstanding.ts";
import type { ObjectPorts } from "./ports.ts";
import { ORIGIN, type Position } from "./position.ts";
import { Visitors } from "./visitors.ts";
import type { HomeMessage, ObjectMessage, ReplicaMessage, TakeOverMessage } from "./wire/object-message.ts";

export class SharedObject implements Disposable {
  readonly path: string;
  readonly copy: ObjectCopy;
  readonly #ports: ObjectPorts;
  /** The host forgets the object. */
  readonly #ended: () => void;
  readonly #outstanding: Outstanding;
  readonly #clients = new Map<string, ObjectClient>();
  readonly #departures: Departures;
  readonly #visitors: Visitors;
  readonly #following: Following;
  /** While this node claims the object or is its home. */
  #tenure: HomeTenure | undefined;
  /** Lower epochs are refused. */
  #epoch: Epoch = ORIGIN.epoch;
  #isStandby = false;
  #pins = 0;
  #retry: Timer | undefined;
  #unused: Timer | undefined;
  #isEnded = false;

  constructor(path: string, ports: ObjectPorts, ended: () => void) {
    this.path = path;
    this.#ports = ports;
    this.#ended = ended;
    this.copy = new ObjectCopy(ports.limits);
    this.#outstanding = new Outstanding({
      ...ports,
      version: () => this.copy.at.version,
      send: (asked) => this.#ask(asked),
      ended: (client) => this.#left(client),
    });
    this.#visitors = new Visitors({ path, limit: ports.limits.clients, send: ports.send });
    this.#following = new Following({ path, send: ports.send });
    this.#departures = new Departures(ports.limits.clients, (client) => this.#tellLeft(client));
    this.#checkUse();
  }

  /** `home`: of which epoch; else how this node follows. */
  get role(): HomeRole | Following["at"] {
    return this.#tenure?.role ?? this.#following.at;
  }

  get isHome(): boolean {
    return this.#tenure?.home !== undefined;
  }

  get epoch(): Epoch {
    return this.#tenure?.home?.epoch ?? this.#epoch;
  }

  get standby(): string | undefined {
    return this.#tenure?.home?.replicas.standby;
  }

  /** Clients on this node, and those on others as their home knows them. */
  get users(): { readonly here: ReadonlyMap<string, ObjectClient>; readonly elsewhere: Visitors } {
    return { here: this.#clients, elsewhere: this.#visitors };
  }

  /** @throws {ObjectLimitError} */
  connect(options: ConnectOptions): ObjectClient {
    const { limits } = this.#ports;
    if (this.#clients.size >= limits.clients) {
      throw new ObjectLimitError({ limit: "clients", wanted: this.#clients.size + 1, allowed: limits.clients });
    }
    const client = new ObjectClient(options, {
      copy: this.copy,
      clock: this.#ports.clock,
      writesPerSecond: limits.clientWrites,
      ask: (request, answer) => this.#outstanding.ask(request, answer),
      closed: (closed) => void (this.#clients.delete(closed.id) && this.#left(closed.id)),
    });
    this.#clients.set(options.client, client);
    this.#use(options.from);
    return client;
  }

  /** It stays although nobody uses it, until the answer is disposed of. */
  pin(): Disposable {
    let held = 1;
    this.#pins += held;
    this.#use();
    const unpin = (): void => {
      this.#pins -= held;
      held = 0;
      this.#checkUse();
    };
    return { [Symbol.dispose]: unpin };
  }

  /** Hands the home over to another node; `kept`: this node is the home still, and `detail` says why. */
  async moveTo(node: string): Promise<HandOverResult> {
    return this.#tenure?.handOver(node) ?? { type: "kept", detail: "not the home" };
  }

  /** The directory has news of this object. */
  ownershipChanged(): void {
    this.#steer();
  }

  linkUp(): void {
    this.#tenure?.linkUp();
    this.#steer();
  }

  linkDown(node: string): void {
    this.#tenure?.linkDown(node);
    this.#tenure?.home?.doubt(this.#visitors.clientsOf(node));
    this.#visitors.forget(node);
    if (this.#following.home === node) this.#detached();
    this.#checkUse();
  }

  receive(from: string, message: ObjectMessage): void {
    switch (message.type) {
      case "attach":
      case "detach":
      case "connect":
      case "write":
      case "leave":
      case "ack":
        return this.#fromReplica(from, message);
      case "inquire":
      case "standing":
      case "fetch":
      case "copy":
      case "hand-over":
      case "handed":
        return this.#takeOver(from, message);
      default:
        return this.#fromHome(from, message);
    }
  }

  /** Durable state is in the engine as far as it can be reached; the claim is given up. */
  async close(): Promise<void> {
    await this.#tenure?.flushInTime();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#retry?.cancel();
    this.#unused?.cancel();
    this.#outstanding[Symbol.dispose]();
    for (const client of this.#clients.values()) client[Symbol.dispose]();
    this.#tenure?.[Symbol.dispose]();
    this.#tenure = undefined;
    this.#ended();
  }

  /** Whether somebody here uses it. */
  get #isOfUse(): boolean {
    return this.#clients.size > 0 || this.#pins > 0 || this.#outstanding.size > 0;
  }

  get #isUsed(): boolean {
    return this.#isOfUse || this.#visitors.isWaitedFor || (this.#tenure?.home?.replicas.interestedCount ?? 0) > 0;
  }

  get #isKept(): boolean {
    return this.#isStandby && this.#tenure === undefined;
  }

  #steer(historyFrom?: Position): void {
    if (this.#isEnded || this.#tenure !== undefined) return;
    const { ownership, nodes } = this.#ports;
    const home = ownership.findHome(this.path);
    if (home !== undefined && home.node !== ownership.self) {
      this.#visitors.sendAway(home.epoch);
      if (this.#following.home === home.node) return;
      if (!this.#isUsed && !this.#isKept) return;
      if (nodes().includes(home.node)) this.#attach(home.node, historyFrom);
      else this.#seekLater();
      return;
    }
    if (!this.#isUsed && !this.#isKept) return;
    const placed = ownership.place(this.path, []);
    const isMine = placed === ownership.self || this.#isStandby || this.#visitors.isWaitedFor || home !== undefined;
    if (ownership.mayBeHome && isMine) return this.#claim();
    const isLinked = placed !== undefined && nodes().includes(placed);
    if (isLinked && this.#following.at === "seeking") this.#attach(placed, historyFrom);
    this.#seekLater();
  }

  #seekLater(): void {
    this.#retry ??= this.#ports.clock.after(this.#ports.timings.retry, () => {
      this.#retry = undefined;
      this.#steer();
    });
  }

  #use(historyFrom?: Position): void {
    this.#checkUse();
    this.#steer(historyFrom);
    this.#showInterest();
  }

  get #interest(): Interest {
    return this.#isOfUse ? "clients" : "standby";
  }

  #attach(home: string, historyFrom?: Position): void {
    const position = this.copy.at.version > 0 ? this.copy.at : undefined;
    this.#following.attach(home, this.#interest, position, historyFrom);
  }

  #showInterest(): void {
    const { home, interest } = this.#following;
    if (home !== undefined && interest !== this.#interest) this.#attach(home);
  }

  /** The link or the home is gone. */
  #detached(): void {
    this.#following.lose();
    this.#outstanding.detached();
    this.#seekLater();
  }

  #claim(giver?: { readonly node: string; readonly epoch: Epoch }): void {
    this.#following.lose();
    const { path, copy } = this;
    const news = { opened: () => this.#opened(), ended: () => this.#tenureEnded() };
    this.#tenure = new HomeTenure({ ...this.#ports, path, copy, ...news }, giver);
    this.#tenure.start();
  }

  /** This node is the home, or is it again. */
  #opened(): void {
    const home = this.#tenure?.home;
    if (home === undefined) return;
    this.#epoch = home.epoch;
    this.#isStandby = false;
    this.#visitors.welcome(home);
    home.replicas.chooseStandby();
    this.#outstanding.reattached();
    this.#departures.tell();
    this.#checkUse();
  }

  #tenureEnded(): void {
    const nodes = this.#tenure?.home?.replicas.nodes ?? [];
    this.#tenure?.[Symbol.dispose]();
    this.#tenure = undefined;
    for (const node of nodes) this.#ports.send(node, { type: "gone", path: this.path, epoch: this.#epoch });
    this.#visitors.clear();
    const home = this.#ports.ownership.findHome(this.path);
    if (home === undefined || home.node === this.#ports.ownership.self) this.#seekLater();
    else this.#steer();
    this.#checkUse();
  }

  #ask(asked: Asked): boolean {
    const home = this.#tenure?.home;
    if (home === undefined) return this.#following.ask(asked);
    const { request, since, isRetry } = asked;
    const answer = (outcome: Outcome): void => this.#outstanding.answered(request.id, outcome);
    const who = request.who.value as AmfObject;
    if (request.type === "connect") return home.connect({ ...request, who }, answer);
    return home.write({ ...request, since, isRetry }, who, answer);
  }

  #fromReplica(from: string, message: ReplicaMessage): void {
    this.#visitors.receive(from, message, this.#tenure?.home);
    if (message.type === "attach") this.#steer();
    if (message.type === "attach" || message.type === "detach") this.#checkUse();
  }

  #fromHome(from: string, message: HomeMessage): void {
    const following = this.#following;
    if (message.type === "answer") return this.#outstanding.answered(message.id, message.outcome);
    if (this.#tenure !== undefined) return;
    if (message.type === "gone") return following.home === from ? this.#detached() : undefined;
    if (compareEpochs(message.epoch, this.#epoch) < 0) return;
    if (message.type === "invite") {
      this.#isStandby = true;
      if (following.home !== from) this.#attach(from);
      return;
    }
    if (following.home !== from) return;
    switch (message.type) {
      case "attached":
        this.#epoch = message.epoch;
        following.attached();
        this.#outstanding.reattached();
        return this.#departures.tell();
      case "snapshot":
        if (following.at !== "attached") return;
        this.copy.adopt(message.snapshot, message.history);
        return this.#advanced(message.epoch);
      case "change":
        if (following.at !== "attached") return;
        if (this.copy.apply(message.change)) this.#advanced(message.epoch);
        else this.#attach(from); // a gap: from where this copy stands, or anew
        return;
      case "dropped":
        this.#isStandby = false;
        this.#detached();
        if (!this.#isUsed) this[Symbol.dispose]();
    }
  }

  #advanced(epoch: Epoch): void {
    this.#following.acknowledge(epoch, this.copy.at);
    this.#outstanding.reached();
  }

  #takeOver(from: string, message: TakeOverMessage): void {
    const { path, epoch } = message;
    switch (message.type) {
      case "inquire":
        return this.#inquired(from, epoch);
      case "fetch":
        this.#ports.send(from, { type: "copy", path, epoch, ...this.copy.whole() });
        return;
      case "hand-over":
        if (this.#tenure !== undefined || !this.#ports.ownership.mayBeHome) {
          return this.#ports.send(from, { type: "handed", path, epoch, isTaken: false });
        }
        this.copy.adopt(message.snapshot, message.history);
        return this.#claim({ node: from, epoch });
      default:
        this.#tenure?.receive(from, message);
    }
  }

  /** A home of a higher epoch: the one before is refused from now on, and this copy will follow the new one. */
  #inquired(from: string, epoch: Epoch): void {
    const isNews = compareEpochs(epoch, this.epoch) > 0;
    if (isNews) {
      this.#epoch = epoch;
      this.#tenure?.home?.freeze();
    }
    this.#ports.send(from, { type: "standing", path: this.path, epoch, position: this.copy.at });
    if (isNews && this.#tenure === undefined && (this.#isUsed || this.#isKept)) this.#attach(from);
  }

  /** A client has gone, or the home has done what one that went before had asked, a lock maybe. */
  #left(client: string): void {
    if (this.#isEnded || this.#clients.has(client)) return;
    this.#departures.left(client);
    this.#checkUse();
  }

  #tellLeft(client: string): boolean {
    this.#tenure?.home?.leave(client);
    return this.#tenure?.home?.isOpen ?? this.#following.leave(client);
  }

  /** Starts and stops the wait for a new user. */
  #checkUse(): void {
    if (this.#isEnded) return;
    if (this.#isUsed || this.#tenure?.isChanging === true) {
      this.#unused?.cancel();
      this.#unused = undefined;
      return;
    }
    this.#unused ??= this.#ports.clock.after(this.#ports.timings.linger, () => {
      this.#unused = undefined;
      void this.retire();
    });
  }

  /** Forgets the object on all nodes, unless it is used. Durable state is in the engine before. */
  async retire(isUsed = (): boolean => this.#isUsed): Promise<void> {
    if (isUsed()) return;
    if (this.#tenure?.home === undefined) {
      if (this.#isKept) return this.#showInterest();
      this.#following.detach();
      return this[Symbol.dispose]();
    }
    const { home } = this.#tenure;
    await this.#tenure.flush();
    if (isUsed() || this.#tenure?.home !== home) return;
    for (const node of home.replicas.nodes)
      this.#ports.send(node, { type: "dropped", path: this.path, epoch: home.epoch });
    const { durability, isDurable } = this.copy.state;
    if (durability !== undefined) this.#ports.notice?.({ type: "forgotten", path: this.path, isStored: isDurable });
    this[Symbol.dispose]();
  }
}

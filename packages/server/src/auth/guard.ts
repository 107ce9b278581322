/** Decides who may connect, publish and play: address rules, then tokens, then the operator's hooks. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { derived } from "../config/live-config.ts";
import type { SluiceConfig } from "../config/load-config.ts";
import { type AccessRequest, ALLOWED, type DoneReport, denied, type Verdict } from "./access.ts";
import { AddressRules } from "./address-rules.ts";
import { type HookAnswer, HookClient, type HookClientOptions } from "./hook-client.ts";
import { PreviewRights } from "./preview-rights.ts";
import { TokenCheck } from "./token-check.ts";

export interface GuardPorts {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

type Action = AccessRequest["action"];

const ALREADY_ALLOWED = Promise.resolve(ALLOWED);

export class Guard {
  /** Rights that stand in for token and hook of a viewer over HTTP; the rules for addresses hold all the same. */
  readonly previews: PreviewRights;
  readonly #ports: GuardPorts;
  readonly #hooks: HookClient;
  /** Apart from the questions, so that nobody waits behind reports. */
  readonly #reports: HookClient;
  readonly #unsent = new Set<Promise<void>>();
  readonly #tokens: () => TokenCheck;
  readonly #rulesNow: () => Readonly<Record<Action, AddressRules>>;
  readonly #ending = new AbortController();

  constructor(ports: GuardPorts) {
    const { config, clock } = ports;
    this.#ports = ports;
    this.previews = new PreviewRights(clock);
    this.#tokens = derived(
      () => config.auth,
      () => new TokenCheck(config, clock),
    );
    this.#rulesNow = derived(() => config.auth, rulesOf);
    const hookRules = hookRulesOf(ports);
    this.#hooks = new HookClient(hookRules);
    this.#reports = new HookClient(hookRules);
  }

  get #rules(): Readonly<Record<Action, AddressRules>> {
    return this.#rulesNow();
  }

  /** For accept, before anything was read. */
  admitAddress(address: string): boolean {
    return this.#rules.connect.admits(address);
  }

  /** Answers at once where nothing is to be checked. Never rejects; an aborted `signal` ends a waiting hook. */
  decide(request: AccessRequest, signal: AbortSignal): Promise<Verdict> {
    if (this.#isOpen(request)) return ALREADY_ALLOWED;
    return this.#judge(request, signal).then((verdict) => this.#counted(request, verdict));
  }

  /** Which actions a stranger from anywhere may do without showing anything, at applications without rules of their own. */
  openActions(): { readonly publish: boolean; readonly play: boolean } {
    const { auth } = this.#ports.config;
    return {
      publish: auth.publish.includes("open") && this.#rules.connect.isOpen && this.#rules.publish.isOpen,
      play: auth.play.includes("open") && this.#rules.connect.isOpen && this.#rules.play.isOpen,
    };
  }

  /** Tells `auth.hooks.done`; neither waits nor fails, and is told once or, under too much load, not at all. */
  done(report: DoneReport): void {
    const { config } = this.#ports;
    const url = config.auth.hooks.done;
    if (url === undefined) return;
    const sent = this.#tell(url, { ...report, event: "done", node: config.node.id });
    this.#unsent.add(sent);
    void sent.then(() => this.#unsent.delete(sent));
  }

  async #tell(url: string, body: object): Promise<void> {
    const answer = await this.#reports.ask(url, body, new AbortController().signal);
    this.#countHook("done", answer);
    if (answer.is === "failed") this.#ports.log.warn({ hook: "done", url, why: answer.why }, "Hook failed");
  }

  /** Ends every waiting question; reports on their way get their `auth.hooks.timeout`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("Guard ended"));
    await Promise.all(this.#unsent);
  }

  #isOpen({ action, app }: AccessRequest): boolean {
    if (!this.#rules.connect.isOpen || !this.#rules[action].isOpen) return false;
    const { config } = this.#ports;
    return action === "connect"
      ? config.auth.hooks.connect === undefined
      : config.forApplication(app).auth[action].includes("open");
  }

  async #judge(request: AccessRequest, signal: AbortSignal): Promise<Verdict> {
    const { action, address, app } = request;
    if (!this.#rules.connect.admits(address) || !this.#rules[action].admits(address)) {
      return denied("address-denied", `This address may not ${action}`);
    }
    if (action === "connect") return this.#askHook(request, signal);
    if (this.#isPreview(request)) return ALLOWED;
    const ways = this.#ports.config.forApplication(app).auth[action];
    if (ways.includes("jwt") || ways.includes("signed")) {
      const verdict = await this.#tokens().check({ ...request, action }, ways);
      if (!verdict.allow) return verdict;
    }
    return ways.includes("hook") ? this.#askHook(request, signal) : ALLOWED;
  }

  /** The console plays over HTTP only: nothing else takes such a right. */
  #isPreview({ action, protocol, key, query }: AccessRequest): boolean {
    if (action !== "play" || (protocol !== "http-flv" && protocol !== "ws-flv")) return false;
    return this.previews.opens(key, query);
  }

  async #askHook(request: AccessRequest, signal: AbortSignal): Promise<Verdict> {
    const { auth, node } = this.#ports.config;
    const url = auth.hooks[request.action];
    if (url === undefined) return ALLOWED;
    const { query, ...facts } = request;
    const body = { ...facts, query: Object.fromEntries(query), event: request.action, node: node.id };
    const answer = await this.#hooks.ask(url, body, AbortSignal.any([signal, this.#ending.signal]));
    this.#countHook(request.action, answer);
    return this.#verdictOf(answer, { hook: request.action, url });
  }

  #verdictOf(answer: HookAnswer, asked: { readonly hook: Action; readonly url: string }): Verdict {
    switch (answer.is) {
      case "allow":
        return ALLOWED;
      case "deny":
        return denied("hook-denied", answer.reason);
      case "redirect":
        return { allow: false, code: "redirected", redirect: answer.to, reason: `Moved to ${answer.to}` };
      case "aborted":
        return denied("session-ended", "The session has ended");
      case "overloaded":
        return denied("overloaded", "Too many requests are waiting for a decision");
      case "failed":
        this.#ports.log.warn(
          { ...asked, why: answer.why, letIn: this.#ports.config.auth.hooks.failOpen },
          "Hook failed",
        );
        return this.#ports.config.auth.hooks.failOpen
          ? ALLOWED
          : denied("hook-unavailable", "The decision could not be obtained");
    }
  }

  #countHook(hook: Action | "done", { is }: HookAnswer): void {
    this.#ports.meter
      .counter("hook_requests_total", "Requests to HTTP hooks, by hook and answer", { hook, answer: is })
      .add();
  }

  #counted({ action }: AccessRequest, verdict: Verdict): Verdict {
    const code = verdict.allow ? "allowed" : verdict.code;
    this.#ports.meter
      .counter("guard_verdicts_total", "Decisions that needed a check, by action and verdict", {
        action,
        verdict: code,
      })
      .add();
    return verdict;
  }
}

function rulesOf({ address }: SluiceConfig["auth"]): Readonly<Record<Action, AddressRules>> {
  return {
    connect: new AddressRules(address),
    publish: new AddressRules({ allow: address.publishAllow, deny: address.publishDeny }),
    play: new AddressRules({ allow: address.playAllow, deny: address.playDeny }),
  };
}

/** Read at each request. */
function hookRulesOf({ config, clock }: GuardPorts): HookClientOptions {
  return {
    clock,
    get timeout() {
      return config.auth.hooks.timeout;
    },
    get token() {
      return config.secrets.hooksToken;
    },
    get requests() {
      return config.limits.hookRequests;
    },
    get queue() {
      return config.limits.hookQueue;
    },
  };
}

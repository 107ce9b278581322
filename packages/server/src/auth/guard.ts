/** Decides who may connect, publish and play: address rules, then tokens, then the operator's hooks. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { derived } from "@sluice/base/derived";
import type { SluiceConfig } from "../config/load-config.ts";
import { shownUrl } from "../config/shown-url.ts";
import { type AccessRequest, type Admission, ALLOWED, denied, SILENT_GRANT, type Verdict } from "./access.ts";
import { AddressRules } from "./address-rules.ts";
import { Grants } from "./grants.ts";
import { type HookAnswer, HookClient, type HookClientOptions } from "./hook-client.ts";
import type { OpenActions } from "./open-warning.ts";
import { PreviewRights } from "./preview-rights.ts";
import { TokenCheck } from "./token-check.ts";

export interface GuardPorts {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

type Action = AccessRequest["action"];

const ALREADY_ALLOWED = Promise.resolve<Admission>(Object.freeze({ allow: true, grant: SILENT_GRANT }));
const SESSION_ENDED = denied("session-ended", "The session has ended");

export class Guard {
  /** Rights that stand in for token and hook of a viewer over HTTP; the rules for addresses hold all the same. */
  readonly previews: PreviewRights;
  readonly #ports: GuardPorts;
  readonly #hooks: HookClient;
  /** With a client of its own, so that questions do not wait behind reports. */
  readonly #grants: Grants;
  /** Requests that are judged. */
  readonly #judging = new Set<Promise<Admission>>();
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
    this.#hooks = new HookClient(hookRulesOf(ports));
    const reports = new HookClient(hookRulesOf(ports));
    const forever = new AbortController().signal;
    this.#grants = new Grants({
      config,
      clock,
      tell: async (url, body) => this.#heard("done", url, await reports.ask(url, body, forever)),
    });
  }

  get #rules(): Readonly<Record<Action, AddressRules>> {
    return this.#rulesNow();
  }

  /** For accept, before anything was read. */
  admitAddress(address: string): boolean {
    return this.#rules.connect.admits(address);
  }

  /**
   * Answers at once where nothing is to be checked. Never rejects. When `signal` aborts the answer is `session-ended`, and
   * a question that still waits to be sent is dropped; one that a hook was asked already is answered to nobody, and if
   * the answer was yes the grant ends at once.
   */
  decide(request: AccessRequest, signal: AbortSignal): Promise<Admission> {
    if (this.#isOpen(request))
      return this.#grants.isSilent(request) ? ALREADY_ALLOWED : Promise.resolve(this.#admissionOf(request, ALLOWED));
    const gone = AbortSignal.any([signal, this.#ending.signal]);
    const judged = this.#judge(request, gone).then((verdict) =>
      this.#admissionOf(request, this.#counted(request, verdict)),
    );
    this.#judging.add(judged);
    void judged.finally(() => this.#judging.delete(judged));
    return unlessGone(judged, gone);
  }

  /** What a stranger from anywhere may do without showing anything, and where. */
  openActions(): OpenActions {
    return { publish: this.#openAt("publish"), play: this.#openAt("play") };
  }

  #openAt(action: "publish" | "play"): readonly string[] {
    const { config } = this.#ports;
    if (!this.#rules.connect.isOpen || !this.#rules[action].isOpen) return [];
    const names = ["", ...config.applicationNames];
    return names.filter((name) => config.forApplication(name).auth[action].includes("open"));
  }

  #admissionOf(request: AccessRequest, verdict: Verdict): Admission {
    return verdict.allow ? { allow: true, grant: this.#grants.open(request) } : verdict;
  }

  /** Drops every waiting question; what is on its way to a hook gets its `auth.hooks.timeout`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("Guard ended"));
    await Promise.all(this.#judging);
    await this.#grants.told();
  }

  #isOpen(request: AccessRequest): boolean {
    const { action, app } = request;
    if (!this.#rules.connect.isOpen || !this.#rules[action].isOpen) return false;
    const { config } = this.#ports;
    if (connects(request) && config.auth.hooks.connect !== undefined) return false;
    return action === "connect" || config.forApplication(app).auth[action].includes("open");
  }

  async #judge(request: AccessRequest, gone: AbortSignal): Promise<Verdict> {
    const { action, address, app, credentials } = request;
    if (!this.#rules.connect.admits(address) || !this.#rules[action].admits(address)) {
      return denied("address-denied", `This address may not ${action}`);
    }
    if (this.#isPreview(request)) return ALLOWED;
    const ways = action === "connect" ? [] : this.#ports.config.forApplication(app).auth[action];
    const asksConnect = connects(request) && this.#ports.config.auth.hooks.connect !== undefined;
    if (ways.includes("open") && !asksConnect) return ALLOWED;
    if (credentials.repeated !== undefined)
      return denied("token-repeated", `"${credentials.repeated}" is given more than once`);
    if (asksConnect) {
      const verdict = await this.#askHook({ ...request, action: "connect", key: "" }, gone);
      if (!verdict.allow) return verdict;
    }
    if (action !== "connect" && (ways.includes("jwt") || ways.includes("signed"))) {
      const verdict = await this.#tokens().check({ ...request, action }, ways);
      if (!verdict.allow) return verdict;
    }
    return ways.includes("hook") ? this.#askHook(request, gone) : ALLOWED;
  }

  /** The console plays over HTTP only: nothing else takes such a right. */
  #isPreview(request: AccessRequest): boolean {
    const { action, key, credentials } = request;
    return action === "play" && isOverHttp(request) && this.previews.opens(key, credentials);
  }

  async #askHook(request: AccessRequest, gone: AbortSignal): Promise<Verdict> {
    const { auth, node } = this.#ports.config;
    const hook = request.action;
    const url = auth.hooks[hook];
    if (url === undefined) return ALLOWED;
    const { credentials, ...facts } = request;
    const { query, authorization } = credentials;
    const shown = { query: Object.fromEntries(query), ...(authorization === undefined ? {} : { authorization }) };
    const answer = await this.#hooks.ask(url, { ...facts, ...shown, event: hook, node: node.id }, gone);
    return this.#verdictOf(this.#heard(hook, url, answer));
  }

  #verdictOf(answer: HookAnswer): Verdict {
    switch (answer.is) {
      case "allow":
        return ALLOWED;
      case "deny":
        return denied("hook-denied", answer.reason);
      case "redirect":
        return { allow: false, code: "redirected", redirect: answer.to, reason: `Moved to ${answer.to}` };
      case "aborted":
        return SESSION_ENDED;
      case "overloaded":
        return denied("overloaded", "Too many requests are waiting for a decision");
      case "failed":
        return this.#ports.config.auth.hooks.failOpen
          ? ALLOWED
          : denied("hook-unavailable", "The decision could not be obtained");
    }
  }

  /** Counts an answer, and logs one that means nothing. */
  #heard(hook: Action | "done", url: string, answer: HookAnswer): HookAnswer {
    const { meter, log, config } = this.#ports;
    meter
      .counter("hook_requests_total", "Requests to HTTP hooks, by hook and answer", { hook, answer: answer.is })
      .add();
    if (answer.is === "failed") {
      const effect = hook === "done" ? {} : { letIn: config.auth.hooks.failOpen };
      log.warn({ hook, url: shownUrl(url), why: answer.why, ...effect }, "Hook failed");
    }
    return answer;
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

const isOverHttp = ({ protocol }: AccessRequest): boolean => protocol === "http-flv" || protocol === "ws-flv";

/** Over HTTP to play is to connect, too. */
const connects = (request: AccessRequest): boolean => request.action === "connect" || isOverHttp(request);

/** The answer, or that its asker has gone; what is allowed then ends at once. */
function unlessGone(answer: Promise<Admission>, gone: AbortSignal): Promise<Admission> {
  const { promise, resolve, reject } = Promise.withResolvers<Admission>();
  let hasLeft = gone.aborted;
  const leave = (): void => {
    hasLeft = true;
    resolve(SESSION_ENDED);
  };
  if (hasLeft) leave();
  else gone.addEventListener("abort", leave, { once: true });
  answer.then((admission) => {
    gone.removeEventListener("abort", leave);
    if (hasLeft && admission.allow) admission.grant.end("session-ended");
    resolve(admission);
  }, reject);
  return promise;
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

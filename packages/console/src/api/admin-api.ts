// The calls of /api/v1 that the console makes.
import type {
  EngineAnswer,
  LinkRow,
  NodesAnswer,
  PreviewRow,
  SessionRow,
  StreamRow,
  TestPatternRow,
} from "@sluice/client/admin-contract";
import type { ObjectAnswer, ObjectsAnswer } from "@sluice/client/admin-objects";
import { ApiAnswerError, ApiUnreachableError } from "./api-errors.ts";

const BASE = "/api/v1";

/** Longer than a busy server needs for an answer, and shorter than a person waits. */
const ANSWER_TIMEOUT = 8_000;

/** Properties of an object that its page shows: more than a person reads, few enough to be asked for twice a second. */
const SHOWN_PROPERTIES = 200;

export interface AdminApi {
  nodes(): Promise<NodesAnswer>;
  /** The links of the answering node. */
  links(): Promise<readonly LinkRow[]>;
  /** The state engine and its members. */
  engine(): Promise<EngineAnswer>;
  drainNode(id: string): Promise<void>;
  streams(): Promise<readonly StreamRow[]>;
  /** The first page, with the number of all. @param key  a StreamKey; "" for all sessions of the node */
  sessions(key: string): Promise<{ readonly sessions: readonly SessionRow[]; readonly total: number }>;
  endSession(id: string): Promise<void>;
  startTestPattern(): Promise<TestPatternRow>;
  stopTestPattern(key: string): Promise<void>;
  /** A token to begin playing a stream, whatever its viewers need. */
  openPreview(key: string): Promise<PreviewRow>;
  /** The first page. */
  objects(): Promise<ObjectsAnswer>;
  object(path: string): Promise<ObjectAnswer>;
  /** @param at  the position where it must stand; `none`: it must not exist */
  setProperty(path: string, name: string, value: unknown, at: string): Promise<void>;
  removeProperty(path: string, name: string): Promise<void>;
  clearObject(path: string): Promise<void>;
  forgetObject(path: string): Promise<void>;
  moveObject(path: string, node: string): Promise<void>;
  /** Where `EventSource` connects. */
  readonly eventsUrl: string;
}

export function createAdminApi(): AdminApi {
  return {
    eventsUrl: `${BASE}/events`,
    nodes: () => ask<NodesAnswer>("GET", "/nodes"),
    links: async () => (await ask<{ links: LinkRow[] }>("GET", "/links")).links,
    engine: () => ask<EngineAnswer>("GET", "/cluster"),
    drainNode: async (id) => void (await ask<object>("POST", `/nodes/${encodeURIComponent(id)}/drain`)),
    streams: async () => (await ask<{ streams: StreamRow[] }>("GET", "/streams")).streams,
    sessions: (key) => ask("GET", key === "" ? "/sessions" : `/sessions?key=${encodeURIComponent(key)}`),
    endSession: (id) => ask<undefined>("DELETE", `/sessions/${encodeURIComponent(id)}`),
    startTestPattern: () => ask<TestPatternRow>("POST", "/test-patterns", { json: {} }),
    stopTestPattern: (key) => ask<undefined>("DELETE", `/test-patterns/${encodeKey(key)}`),
    objects: () => ask<ObjectsAnswer>("GET", "/objects"),
    object: (path) => ask<ObjectAnswer>("GET", `/objects/${encodeKey(path)}?limit=${SHOWN_PROPERTIES}`),
    setProperty: async (path, name, value, at) => {
      const query = new URLSearchParams({ property: name, at }).toString();
      await ask("PUT", `/objects/${encodeKey(path)}?${query}`, { json: value });
    },
    removeProperty: async (path, name) => {
      await ask("DELETE", `/objects/${encodeKey(path)}?property=${encodeURIComponent(name)}`);
    },
    clearObject: async (path) => void (await ask("POST", `/objects/${encodeKey(path)}/clear`)),
    forgetObject: (path) => ask<undefined>("DELETE", `/objects/${encodeKey(path)}`),
    moveObject: async (path, node) => void (await ask("POST", `/objects/${encodeKey(path)}/move`, { json: { node } })),
    openPreview: (key) => ask("POST", "/previews", { json: { key } }),
  };
}

/** Slashes separate the parts of a StreamKey and stay; everything else is escaped. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** What is sent: any JSON, `null` and `false` included. */
interface Body {
  readonly json: unknown;
}

async function ask<T>(method: string, path: string, body?: Body): Promise<T> {
  const answer = await send(method, path, body);
  if (!answer.ok) throw await answerError(path, answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function send(method: string, path: string, body?: Body): Promise<Response> {
  const init: RequestInit = {
    method,
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT),
  };
  if (body) Object.assign(init, { body: JSON.stringify(body.json), headers: { "content-type": "application/json" } });
  try {
    return await fetch(BASE + path, init);
  } catch (cause) {
    throw new ApiUnreachableError({ path }, cause);
  }
}

async function answerError(path: string, answer: Response): Promise<ApiAnswerError> {
  const body: unknown = await answer.json().catch(() => undefined);
  const { code, message } = readAdminError(body) ?? {
    code: `HTTP_${answer.status}`,
    message: `The server answered ${answer.status} to "${path}"`,
  };
  return new ApiAnswerError(code, message, { path, status: answer.status });
}

function readAdminError(body: unknown): { code: string; message: string } | undefined {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  if (typeof error?.code !== "string" || typeof error.message !== "string") return undefined;
  return { code: error.code, message: error.message };
}

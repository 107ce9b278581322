/** Calls the admin interface of the node that runs with the same configuration on this machine. */
import { UnavailableError } from "@sluice/base/errors";
import type { SluiceConfig } from "../config/load-config.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";

/** The running node cannot be asked, or says no. */
export class AdminCallError extends UnavailableError {
  override readonly name = "AdminCallError";
  readonly code = "UNAVAILABLE_ADMIN";
  readonly context: {
    readonly url: string;
    readonly detail: string;
    /** Nothing serves there any more. */
    readonly isGone: boolean;
  };
  constructor(context: AdminCallError["context"]) {
    super(`Cannot ask the node at ${context.url}: ${context.detail}`);
    this.context = context;
  }
}

/** How long an answer of a node on the same machine may take; it must outlast a busy moment of its loop. */
const PATIENCE = 5_000;

/** @returns the answer's JSON; `undefined` when it has no body */
export async function callAdmin(
  config: SluiceConfig,
  method: "GET" | "POST" | "DELETE",
  path: string,
  patience = PATIENCE,
): Promise<unknown> {
  const url = `${baseUrl(config)}${path}`;
  const token = config.secrets.adminToken;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(patience) }).catch(
    (error: Error) => {
      throw new AdminCallError({ url, detail: reasonOf(error), isGone: isGone(error) });
    },
  );
  const text = await response.text();
  if (!response.ok)
    throw new AdminCallError({
      url,
      isGone: response.status === 503,
      detail: `answered ${response.status}${told(text)}${response.status === 401 ? TOKEN_HINT : ""}`,
    });
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}

const TOKEN_HINT = "; this command takes admin.token from the configuration: give it the node's --config or --set";

/** The message of an error of the admin interface, or what else stands there. */
function told(text: string): string {
  if (text === "") return "";
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return `: ${error.message}`;
  } catch {
    // Not from a node.
  }
  return `, ${text.slice(0, 300)}`;
}

function baseUrl({ listen, http }: SluiceConfig): string {
  if (http.port === "off") throw new UsageError("Cannot ask the node: http.port is off");
  if (http.port === 0)
    throw new UsageError(
      "Cannot ask the node: http.port is 0, so its real port is not known here; give it as --set http.port=N",
    );
  const isAny = listen.host === "0.0.0.0" || listen.host === "::";
  const host = isAny ? "127.0.0.1" : listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return `http://${host}:${http.port}`;
}

function isGone({ cause }: Error): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" || code === "ECONNRESET" || code === "UND_ERR_SOCKET";
}

function reasonOf(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === "ECONNREFUSED")
    return "nothing listens there; does the node run (one that starts needs a few seconds)? Where it has a port of its own, give this command the node's --config, --instance or --set http.port=N";
  return cause?.message ?? error.message;
}

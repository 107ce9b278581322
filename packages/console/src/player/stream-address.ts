// Where the player fetches a stream, with the operator's right to watch it, and what the server says where that fails.
import type { AdminApi } from "../api/admin-api.ts";

/** Must outlast a busy server's answer, and be shorter than a person's patience. */
const ANSWER_TIMEOUT = 8_000;

/** The address with a fresh right, which is good for one opening: guarded streams ask everybody for something. */
export async function openAddress(api: Pick<AdminApi, "openPreview">, key: string, url: string): Promise<string> {
  const { token } = await api.openPreview(key);
  return `${url}?preview=${encodeURIComponent(token)}`;
}

/** A browser does not tell why a WebSocket was refused; the same address over HTTP does. `undefined`: no answer. */
export async function askStatus(address: string): Promise<number | undefined> {
  const url = address.replace(/^ws/, "http");
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    return (await fetch(url, { method: "HEAD", cache: "no-store", credentials: "omit", signal })).status;
  } catch {
    return undefined;
  }
}

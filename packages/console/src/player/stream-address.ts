// The player's address of a stream, with a preview token, and the server's status when it fails.
import type { AdminApi } from "../api/admin-api.ts";

/** Longer than a busy server needs for an answer, and shorter than a person waits. */
const ANSWER_TIMEOUT = 8_000;

/** The address with a fresh token, valid for one opening: guarded streams require a credential from everybody. */
export async function openAddress(api: Pick<AdminApi, "openPreview">, key: string, url: string): Promise<string> {
  const { token } = await api.openPreview(key);
  return `${url}?preview=${encodeURIComponent(token)}`;
}

/** A browser does not report why a WebSocket was refused; the same address over HTTP does. `undefined`: no answer. */
export async function askStatus(address: string): Promise<number | undefined> {
  const url = address.replace(/^ws/, "http");
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    return (await fetch(url, { method: "HEAD", cache: "no-store", credentials: "omit", signal })).status;
  } catch {
    return undefined;
  }
}

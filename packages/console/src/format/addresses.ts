// Addresses for people to copy: where to publish, where to play.
import { encodeKey } from "../api/admin-api.ts";

/** What the page knows of itself; `location` fits. */
export interface PageAddress {
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
}

const RTMP_PORT = "1935";

/** Addresses that mean "here" or "everywhere", useless to others. */
const NOWHERE = /^(0\.0\.0\.0|\[::\]|127\.[\d.]+|\[::1\]|localhost|)$/;

/** The node's own address if it gives one; else the host of this page with the node's port. */
export function rtmpBase(page: PageAddress, addresses: Readonly<Record<string, string>>): string {
  const [, named = "", port = RTMP_PORT] = /^(.*?)(?::(\d+))?$/.exec(addresses.rtmp ?? "") ?? [];
  const host = NOWHERE.test(named) ? page.hostname : named;
  return `rtmp://${host}${port === RTMP_PORT ? "" : `:${port}`}`;
}

export interface PlayAddresses {
  readonly rtmp: string;
  readonly httpFlv: string;
  readonly wsFlv: string;
}

export function playAddresses(
  page: PageAddress,
  addresses: Readonly<Record<string, string>>,
  key: string,
): PlayAddresses {
  const path = encodeKey(key);
  return {
    rtmp: `${rtmpBase(page, addresses)}/${path}`,
    httpFlv: `${page.protocol}//${page.host}/${path}.flv`,
    wsFlv: `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}/${path}.flv`,
  };
}

/** Splits a StreamKey the way OBS asks for it: the server URL keeps everything but the last part. */
export function obsFields(base: string, key: string): { readonly server: string; readonly streamKey: string } {
  const cut = key.lastIndexOf("/");
  return { server: `${base}/${encodeKey(key.slice(0, Math.max(0, cut)))}`, streamKey: key.slice(cut + 1) };
}

export function ffmpegPublishLine(base: string, key: string): string {
  return (
    "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine " +
    "-c:v libx264 -preset veryfast -g 60 -pix_fmt yuv420p -c:a aac " +
    `-f flv ${shellWord(`${base}/${encodeKey(key)}`)}`
  );
}

export function ffplayLine(url: string): string {
  return `ffplay -fflags nobuffer -flags low_delay ${shellWord(url)}`;
}

/** Quoted only if a POSIX shell would read it differently. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) && !word.includes("[") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** RTMP over the WebSocket of a web page: the engine is here, the connection is the browser's, with the page's own Origin. */
/// <reference lib="dom" />
import type { ConnectOptions } from "@sluice/rtmp/client-engine";
import type { Page } from "playwright-core";
import { clientEngine, RtmpPeer } from "./rtmp-peer.ts";

type Socketed = Window & { socket?: WebSocket; heard: (piece: string) => void; gone: () => void };

/** Connected as far as the server lets the page; handshake and connect are under way. One for a page. */
export async function openPagePeer(page: Page, url: string, connect: ConnectOptions): Promise<RtmpPeer> {
  const engine = clientEngine();
  let sending = Promise.resolve();
  const listeners: { bytes: (bytes: Uint8Array) => void; closed: () => void } = { bytes() {}, closed() {} };
  const peer = new RtmpPeer(engine, (ear) => {
    Object.assign(listeners, ear);
    const close = (): void => void page.evaluate(() => (window as unknown as Socketed).socket?.close()).catch(() => {});
    const send = (bytes: Uint8Array): void => {
      const text = Buffer.from(bytes).toString("base64");
      sending = sending.then(() => page.evaluate(sendInPage, text)).catch(() => {});
    };
    return { send, close, destroy: close };
  });
  await page.exposeFunction("heard", (piece: string) => listeners.bytes(Buffer.from(piece, "base64")));
  await page.exposeFunction("gone", () => listeners.closed());
  if ((await page.evaluate(openInPage, url)) === "refused") {
    listeners.closed();
    return peer;
  }
  engine.start(connect);
  peer.flush();
  return peer;
}

/** Runs in the page. */
function openInPage(url: string): Promise<"open" | "refused"> {
  const win = window as unknown as Socketed;
  const socket = new WebSocket(url, "rtmp");
  socket.binaryType = "arraybuffer";
  win.socket = socket;
  socket.addEventListener("message", ({ data }) =>
    win.heard(btoa(String.fromCharCode(...new Uint8Array(data as ArrayBuffer)))),
  );
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve("open"));
    socket.addEventListener("close", () => {
      win.gone();
      resolve("refused");
    });
  });
}

/** Runs in the page. */
function sendInPage(text: string): void {
  (window as unknown as Socketed).socket?.send(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}

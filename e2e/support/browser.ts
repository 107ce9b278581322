/** Chromium on the console, for tests: what a person would see there, and whether the picture moves. */
/// <reference lib="dom" />
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { run } from "./clip.ts";
import { ROOT } from "./server.ts";

/** A name that is not loopback, and yet leads to this machine. */
export const FOREIGN_HOST = "media.sluice.test";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  `--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`,
];

/** Decoding and encoding share the machine with other tests. */
const WAIT_MILLIS = 30_000;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });
}

/** The server serves what vite built: builds it where nobody has. */
export function ensureConsole(): void {
  if (existsSync(join(ROOT, "packages/console/dist/demo/ball.html"))) return;
  run("npm", ["run", "build", "--silent", "--workspace", "@sluice/console", "--prefix", ROOT]);
}

export interface View extends AsyncDisposable {
  readonly page: Page;
  /** Uncaught exceptions and violations of the content security policy. */
  readonly faults: readonly string[];
}

export interface ViewOptions {
  readonly width?: number;
  readonly height?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens an address in a browser profile of its own. */
export async function openView(browser: Browser, url: string, options: ViewOptions = {}): Promise<View> {
  const { width = 1280, height = 800, headers = {} } = options;
  const context = await browser.newContext({ viewport: { width, height }, extraHTTPHeaders: { ...headers } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MILLIS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** Seconds on the clock of the page's video. */
export function currentTime(page: Page): Promise<number> {
  return page.locator("video").evaluate((video: HTMLVideoElement) => video.currentTime);
}

/** Resolves once the video's time has gone past `seconds`. */
export async function playPast(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((until) => (document.querySelector("video")?.currentTime ?? 0) > until, seconds);
}

/** Resolves once the picture is there and `seconds` of it have been played. */
export async function playFor(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
  await playPast(page, (await currentTime(page)) + seconds);
}

/** Draws shown frames into a canvas, until `count` of them differ from each other. @throws {Error} when they do not */
export async function seeMovement(page: Page, count = 4): Promise<void> {
  const seen = await page.locator("video").evaluate(collectPictures, { count, waitMillis: WAIT_MILLIS });
  if (seen < count) throw new Error(`Cannot see the picture move: ${seen} different pictures of ${count}`);
}

/** Runs in the page. @returns how many different, not uniform pictures it saw */
async function collectPictures(
  element: HTMLElement | SVGElement,
  { count, waitMillis }: { readonly count: number; readonly waitMillis: number },
): Promise<number> {
  const video = element as HTMLVideoElement;
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pictures = new Set<string>();
  const deadline = performance.now() + waitMillis;
  while (pictures.size < count && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    context?.drawImage(video, 0, 0, 64, 36);
    const pixels = context?.getImageData(0, 0, 64, 36).data ?? [];
    const colours = new Set<number>();
    for (let at = 0; at < pixels.length; at += 4) colours.add(((pixels[at] ?? 0) << 8) | (pixels[at + 1] ?? 0));
    if (colours.size > 16) pictures.add(String(pixels));
  }
  return pictures.size;
}

/** How many pixels of the first canvas inside `selector` are not transparent. */
export function drawnPixels(page: Page, selector: string): Promise<number> {
  const canvas = page.locator(`${selector} canvas`).first();
  return canvas.evaluate((element: HTMLCanvasElement) => {
    const pixels = element.getContext("2d")?.getImageData(0, 0, element.width, element.height).data ?? [];
    let drawn = 0;
    for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 0) drawn++;
    return drawn;
  });
}

/** Width that the page needs, in CSS pixels. */
export function pageWidth(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth);
}

// What every browser test needs: the console as vite builds it, a fake server, and Debian's Chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { busySessions, busyStreams } from "./fake-rows.ts";
import { FakeServer } from "./fake-server.ts";

const CHROMIUM_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/** Builds once into a folder of its own, so that a test never sees an old build. */
async function buildConsole(): Promise<{ dist: string; remove(): Promise<void> }> {
  const dist = await mkdtemp(join(tmpdir(), "sluice-console-"));
  await build({ root: join(import.meta.dirname, ".."), logLevel: "warn", build: { outDir: dist, emptyOutDir: true } });
  return { dist, remove: () => rm(dist, { recursive: true, force: true }) };
}

function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGUMENTS });
}

export interface Visit {
  readonly server: FakeServer;
  readonly page: Page;
  readonly base: string;
  /** Uncaught exceptions and violations of the content security policy. */
  readonly faults: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

interface VisitOptions {
  readonly browser: Browser;
  readonly dist: string;
  readonly prepare: (server: FakeServer) => void;
  readonly path: string;
  readonly viewport: { readonly width: number; readonly height: number };
}

const DESKTOP = { width: 1280, height: 800 };

/** Opens the console in a fresh browser context on a fresh fake server. */
async function visit(options: VisitOptions): Promise<Visit> {
  const server = new FakeServer(options.dist, 250);
  options.prepare(server);
  const base = await server.listen();
  const context = await options.browser.newContext({ viewport: options.viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) faults.push(message.text());
  });
  await page.goto(`${base}/console/${options.path}`);
  const dispose = async () => {
    await context.close();
    await server.close();
  };
  return { server, page, base, faults, [Symbol.asyncDispose]: dispose };
}

/** What a page is opened with: `prepare` sees its fake server before it answers. */
type OpenConsole = (
  prepare: (server: FakeServer) => void,
  path?: string,
  viewport?: VisitOptions["viewport"],
) => Promise<Visit>;

/** Called once in a file of browser tests: one build and one browser for all of them. */
export function consoleForTests(): OpenConsole {
  let built: Awaited<ReturnType<typeof buildConsole>> | undefined;
  let browser: Browser | undefined;
  before(async () => {
    built = await buildConsole();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await built?.remove();
  });
  return (prepare, path = "", viewport = DESKTOP) => {
    if (built === undefined || browser === undefined) throw new TypeError("The console is built before the first test");
    return visit({ browser, dist: built.dist, prepare, path, viewport });
  };
}

/** A server with streams and sessions. */
export function busy(server: FakeServer): void {
  server.streams = busyStreams();
  server.sessions = busySessions();
}

/** How many pixels of the first canvas inside `selector` are not transparent. */
export function drawnPixels(page: Page, selector: string): Promise<number> {
  return page
    .locator(`${selector} canvas`)
    .first()
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let drawn = 0;
      for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 0) drawn++;
      return drawn;
    });
}

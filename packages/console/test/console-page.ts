// What every browser test needs: the console as vite builds it, a fake server, and Debian's Chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
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
export async function buildConsole(): Promise<{ dist: string; remove(): Promise<void> }> {
  const dist = await mkdtemp(join(tmpdir(), "sluice-console-"));
  await build({ root: join(import.meta.dirname, ".."), logLevel: "warn", build: { outDir: dist, emptyOutDir: true } });
  return { dist, remove: () => rm(dist, { recursive: true, force: true }) };
}

export function launchBrowser(): Promise<Browser> {
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

export interface VisitOptions {
  readonly browser: Browser;
  readonly dist: string;
  readonly prepare?: (server: FakeServer) => void;
  readonly path?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** Opens the console in a fresh browser context on a fresh fake server. */
export async function visit(options: VisitOptions): Promise<Visit> {
  const server = new FakeServer(options.dist, 250);
  options.prepare?.(server);
  const base = await server.listen();
  const context = await options.browser.newContext({ viewport: options.viewport ?? { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) faults.push(message.text());
  });
  await page.goto(`${base}/console/${options.path ?? ""}`);
  const dispose = async () => {
    await context.close();
    await server.close();
  };
  return { server, page, base, faults, [Symbol.asyncDispose]: dispose };
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

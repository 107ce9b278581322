/** OBS Studio on a screen in memory: it shows a clip over and over and publishes that, as a person's OBS does. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Child, startChild } from "@sluice/testkit/child";
import type { WorkFolder } from "./clip.ts";

export interface ObsOptions {
  /** Gets OBS's settings, in a folder of their own. */
  readonly folder: WorkFolder;
  /** A file with pictures of 320x180 and sound. */
  readonly clip: string;
  /** As typed under *Settings, Stream, Custom*. */
  readonly server: string;
  readonly streamKey: string;
}

/** Loading of all its plugins, on a busy machine. */
const START_MILLIS = 60_000;
const SCREEN = ["-screen", "0", "800x600x24", "-nolisten", "tcp", "-displayfd", "1"];
const ARGUMENTS = ["--multi", "--startstreaming", "--minimize-to-tray", "--disable-missing-files-check"];

/** Dispose it, and OBS and its screen are gone. */
export class Obs implements AsyncDisposable {
  readonly #screen: Child;
  readonly #obs: Child;

  constructor(screen: Child, obs: Child) {
    this.#screen = screen;
    this.#obs = obs;
  }

  output(): string {
    return this.#obs.output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#obs[Symbol.asyncDispose]();
    await this.#screen[Symbol.asyncDispose]();
  }
}

/** @returns OBS once it says that it streams */
export async function startObs(options: ObsOptions): Promise<Obs> {
  const home = options.folder.file("obs-home");
  writeSettings(join(home, ".config/obs-studio"), options);
  const screen = startChild(["Xvfb", ...SCREEN]);
  const display = await screen.waitForLine((line) => (/^\d+$/.test(line) ? `:${line}` : undefined));
  const env = { HOME: home, XDG_CONFIG_HOME: undefined, DISPLAY: display, QT_QPA_PLATFORM: "xcb" };
  const child = startChild(["obs", ...ARGUMENTS], { env: { ...env, LIBGL_ALWAYS_SOFTWARE: "1" } });
  const obs = new Obs(screen, child);
  try {
    await child.waitForLine((line) => (line.includes("Streaming Start") ? true : undefined), START_MILLIS);
  } catch (error) {
    await obs[Symbol.asyncDispose]();
    throw error;
  }
  return obs;
}

/** What a person would have clicked together: a scene with a media source, a small picture, a key frame a second. */
function writeSettings(folder: string, { clip, server, streamKey }: ObsOptions): void {
  write(join(folder, "global.ini"), {
    General: { FirstRun: true, LastVersion: 0x1d000002, Pre19Defaults: false, Pre21Defaults: false },
    Basic: { Profile: "Test", ProfileDir: "Test", SceneCollection: "Test", SceneCollectionFile: "Test" },
  });
  write(join(folder, "basic/profiles/Test/basic.ini"), {
    General: { Name: "Test" },
    Output: { Mode: "Simple", Reconnect: true, RetryDelay: 1 },
    SimpleOutput: { VBitrate: 400, ABitrate: 64, UseAdvanced: true, Preset: "ultrafast", x264Settings: "keyint=30" },
    Video: { BaseCX: 320, BaseCY: 180, OutputCX: 320, OutputCY: 180, FPSType: 0, FPSCommon: 30 },
    Audio: { SampleRate: 48_000, ChannelSetup: "Stereo" },
  });
  writeFileSync(
    join(folder, "basic/profiles/Test/service.json"),
    JSON.stringify({ type: "rtmp_custom", settings: { server, key: streamKey } }),
  );
  const source = { id: "ffmpeg_source", name: "Clip", settings: { local_file: clip, looping: true } };
  const scene = { id: "scene", name: "Scene", settings: { items: [{ name: "Clip", id: 1, visible: true }] } };
  mkdirSync(join(folder, "basic/scenes"), { recursive: true });
  writeFileSync(
    join(folder, "basic/scenes/Test.json"),
    JSON.stringify({
      name: "Test",
      current_scene: "Scene",
      scene_order: [{ name: "Scene" }],
      sources: [source, scene],
    }),
  );
}

type Ini = Readonly<Record<string, Readonly<Record<string, boolean | number | string>>>>;

function write(path: string, ini: Ini): void {
  mkdirSync(dirname(path), { recursive: true });
  const sections = Object.entries(ini).map(
    ([name, keys]) =>
      `[${name}]\n${Object.entries(keys)
        .map(([key, value]) => `${key}=${value}\n`)
        .join("")}`,
  );
  writeFileSync(path, sections.join("\n"));
}

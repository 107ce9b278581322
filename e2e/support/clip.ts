/** Short clips of moving pictures and sound, made by ffmpeg for one test run. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own; dispose it, and it is gone. */
export class WorkFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "sluice-e2e-"));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface ClipOptions {
  readonly seconds: number;
  /** Both if left out. */
  readonly only?: "audio" | "video";
  /** Key frame every so many frames, of 25 a second; 25 if left out. */
  readonly gop?: number;
  /** 320x180 if left out. */
  readonly size?: string;
}

/** H.264 with B-frames and AAC as FLV, written into the folder. @returns its path */
export function makeClip(folder: WorkFolder, name: string, options: ClipOptions): string {
  const { seconds, only, gop = 25, size = "320x180" } = options;
  const path = folder.file(name);
  const video = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`];
  const audio = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
  const x264 = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-bf",
    "2",
    "-g",
    `${gop}`,
    "-keyint_min",
    `${gop}`,
    "-sc_threshold",
    "0",
    "-pix_fmt",
    "yuv420p",
    "-b:v",
    "400k",
  ];
  const aac = ["-c:a", "aac", "-b:a", "64k"];
  const inputs = [...(only === "audio" ? [] : video), ...(only === "video" ? [] : audio)];
  const codecs = [...(only === "audio" ? [] : x264), ...(only === "video" ? [] : aac)];
  run("ffmpeg", ["-y", ...inputs, "-t", `${seconds}`, ...codecs, "-threads", "1", "-f", "flv", path]);
  return path;
}

/** A program that must succeed; its standard output. */
export function run(program: string, args: readonly string[]): string {
  const quiet = program === "ffmpeg" ? ["-hide_banner", "-nostdin", "-loglevel", "error"] : [];
  const env = { ...process.env, SVT_LOG: "1" }; // the AV1 encoder is talkative
  return execFileSync(program, [...quiet, ...args], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, env });
}

/** A self-signed certificate for 127.0.0.1. */
export function makeCertificate(folder: WorkFolder): { readonly cert: string; readonly key: string } {
  const cert = folder.file("cert.pem");
  const key = folder.file("key.pem");
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", [...args, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}

/** Builds the C programs of the bench when a source is newer than the program. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "native");
const BUILD = join(SOURCES, "build");
const SHARED = ["dialogue.c", "transport.c", "rtmp.c", "frame.c", "histogram.c", "base.c"];
const PROGRAMS = {
  sink: ["sink.c", "player.c", "flv.c", ...SHARED],
  pub: ["pub.c", ...SHARED],
  "c-loop": ["c-loop.c", "base.c"],
} as const;

export type Program = keyof typeof PROGRAMS;
const HAS_TLS = existsSync("/usr/include/openssl/ssl.h");

/** The path of a program, built if needed. @throws when gcc fails. */
export function nativeProgram(program: Program): string {
  const path = join(BUILD, program);
  const newest = Math.max(
    ...readdirSync(SOURCES).map((name) => statSync(join(SOURCES, name)).mtimeMs * Number(/\.[ch]$/.test(name))),
  );
  if (existsSync(path) && statSync(path).mtimeMs > newest) return path;
  mkdirSync(BUILD, { recursive: true });
  const tls = HAS_TLS ? { flags: ["-DHAVE_TLS"], libraries: ["-lssl", "-lcrypto"] } : { flags: [], libraries: [] };
  execFileSync("gcc", ["-O2", "-Wall", "-Wextra", ...tls.flags, "-o", path, ...PROGRAMS[program], ...tls.libraries], {
    cwd: SOURCES,
  });
  return path;
}

/** Reads golden exchanges: files of steps that two sides take in turn, such as docs/protocol/golden. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hex } from "./hex.ts";

export type GoldenStep =
  /** A message in both encodings. */
  | { readonly from: "client" | "server"; readonly text: string; readonly bytes: Uint8Array }
  /** Somebody else does something. */
  | { readonly from: "other"; readonly text: string };

export interface GoldenExchange {
  readonly name: string;
  readonly path: string;
  readonly steps: readonly GoldenStep[];
  readonly close: { readonly code: number; readonly reason: string } | undefined;
}

export function readExchanges(folder: string): GoldenExchange[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
  return files.map((file) => readExchange(file.slice(0, -".txt".length), readFileSync(join(folder, file), "utf8")));
}

function readExchange(name: string, file: string): GoldenExchange {
  const lines = file.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const steps: GoldenStep[] = [];
  let path = "";
  let close: GoldenExchange["close"];
  for (const [i, line] of lines.entries()) {
    const [word = "", rest = ""] = splitAt(line, " ");
    if (word === "path") path = rest;
    else if (word === "other") steps.push({ from: word, text: rest });
    else if (word === "client" || word === "server") {
      steps.push({ from: word, text: rest, bytes: hex((lines[i + 1] ?? "").replace("msgpack ", "")) });
    } else if (word === "close") close = { code: Number(splitAt(rest, " ")[0]), reason: splitAt(rest, " ")[1] ?? "" };
    else if (word !== "msgpack") throw new Error(`${name}: no step begins with "${word}"`);
  }
  return { name, path, steps, close };
}

function splitAt(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

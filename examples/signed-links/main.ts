/** Prints a link that plays one stream for an hour: a server with `auth.play: signed` and the same secret lets it in. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const [secretFile, key = "live/cam", base = "http://localhost:8080"] = process.argv.slice(2);
if (secretFile === undefined) throw new Error("Cannot sign: usage is main.ts SECRET-FILE [KEY] [BASE-URL]");

const expires = Math.floor(Date.now() / 1000) + 3600;
const secret = readFileSync(secretFile, "utf8").trim();
const signature = createHmac("sha256", secret).update(`play:${key}:${expires}`).digest("base64url");
console.log(`${base}/${key}.flv?expires=${expires}&sign=${signature}`);

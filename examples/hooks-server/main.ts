/** Answers Sluice's hooks: who knows the password publishes, what is private plays on this machine only, the rest is free. */
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";

const { PORT = "3000", HOOK_TOKEN = "", PUBLISH_PASSWORD = "" } = process.env;
if (HOOK_TOKEN === "" || PUBLISH_PASSWORD === "") throw new Error("Cannot start: set HOOK_TOKEN and PUBLISH_PASSWORD");

/** What this program reads of a hook; docs/guide/guarding.md has the whole of it. */
interface Hook {
  readonly event: "connect" | "publish" | "play" | "done";
  readonly key: string;
  readonly address: string;
  readonly query: Readonly<Record<string, string>>;
}

/** The rule, and the only part to change. @returns why not, or nothing */
function refusalOf({ event, key, address, query }: Hook): string | undefined {
  if (event === "publish" && query["password"] !== PUBLISH_PASSWORD) return "Wrong password";
  if (event === "play" && key.startsWith("private/") && address !== "127.0.0.1") return "This stream is private";
  return undefined;
}

async function answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body: object }> {
  if (request.headers.authorization !== `Bearer ${HOOK_TOKEN}`) return { status: 401, body: {} };
  const hook = (await json(request)) as Hook;
  const reason = refusalOf(hook);
  console.log(`${hook.event} ${hook.key} from ${hook.address}: ${reason ?? "yes"}`);
  return reason === undefined ? { status: 200, body: {} } : { status: 403, body: { reason } };
}

const server = createServer((request, response) => {
  answer(request).then(
    ({ status, body }) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
    () => response.writeHead(400).end(),
  );
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`Hooks at ${JSON.stringify(server.address())}`));

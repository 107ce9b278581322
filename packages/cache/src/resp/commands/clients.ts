/** CLIENT: lists, names and ends connections. */
import type { Millis } from "@sluice/base/brand";
import { integerArgument, smallInteger, syntaxError } from "../arguments.ts";
import type { ClientRow } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import { USER } from "../password.ts";
import type { RespRequest } from "../request.ts";
import { clientName } from "./connection.ts";

/** One client as CLIENT LIST shows it. */
export function clientLine(row: ClientRow, now: Millis): string {
  const age = Math.floor(Math.max(0, now - row.openedAt) / 1_000);
  const idle = Math.floor(Math.max(0, now - row.lastActiveAt) / 1_000);
  const facts = [
    `id=${row.id} addr=${row.address} laddr=${row.localAddress} fd=-1 name=${row.name} age=${age} idle=${idle}`,
    `flags=${row.subscriptionCount > 0 ? "P" : "N"} db=${row.database} sub=${row.subscriptionCount} psub=0 ssub=0`,
    `multi=${row.queuedCommands ?? -1} qbuf=${row.inputBytes} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0`,
    `omem=${row.outputBytes} tot-mem=${row.inputBytes + row.outputBytes} events=r cmd=${row.lastCommand}`,
    `user=${row.user} redir=-1 resp=${row.protocol} lib-name=${row.library} lib-ver=${row.libraryVersion}`,
  ];
  return `${facts.join(" ")}\n`;
}

/** Cost of examining a client and writing its line. */
const WORK_PER_CLIENT = 8;

/** CLIENT LIST [TYPE type] [ID id …]. */
function list(call: CommandCall): void {
  const { request, reply, backend, row } = call;
  const isWanted = listFilter(request);
  call.spend(WORK_PER_CLIENT * backend.clients.count);
  let text = "";
  for (const one of backend.clients.rows()) if (isWanted(one)) text += clientLine(one, row.lastActiveAt);
  reply.verbatim(text);
}

function listFilter(request: RespRequest): (row: ClientRow) => boolean {
  if (request.count === 2) return () => true;
  const word = request.word(2);
  if (word === "type" && request.count === 4) return typeFilter(request, 3);
  if (word !== "id" || request.count < 4) return syntaxError();
  const ids = new Set<number>();
  for (let i = 3; i < request.count; i++) ids.add(smallInteger(request, i, "ERR Invalid client ID"));
  return ({ id }) => ids.has(id);
}

function typeFilter(request: RespRequest, index: number): (row: ClientRow) => boolean {
  const type = request.word(index);
  if (type === "normal") return ({ subscriptionCount }) => subscriptionCount === 0;
  if (type === "pubsub") return ({ subscriptionCount }) => subscriptionCount > 0;
  if (["master", "slave", "replica"].includes(type)) return () => false;
  return refuse(`ERR Unknown client type '${request.text(index)}'`);
}

/** CLIENT KILL address, or filters: ID, ADDR, LADDR, USER, TYPE, SKIPME. */
function kill(call: CommandCall): void {
  const { request, reply, backend, row } = call;
  const isOldForm = request.count === 3;
  const address = request.text(2);
  const isWanted = isOldForm ? (one: ClientRow) => one.address === address : killFilter(call);
  call.spend(request.count * backend.clients.count);
  const rows = [...backend.clients.rows()].filter(isWanted);
  if (isOldForm && rows.length === 0) refuse("ERR No such client");
  for (const { id } of rows) if (id !== row.id) backend.clients.kill(id);
  if (rows.some(({ id }) => id === row.id)) call.quit();
  if (isOldForm) reply.simple("OK");
  else reply.integer(rows.length);
}

function killFilter({ request, row }: CommandCall): (row: ClientRow) => boolean {
  if (request.count % 2 !== 0) syntaxError();
  const filters: ((one: ClientRow) => boolean)[] = [];
  let skipsSelf = true;
  for (let i = 2; i < request.count; i += 2) {
    const text = request.text(i + 1);
    switch (request.word(i)) {
      case "id":
        filters.push(idFilter(request, i + 1));
        break;
      case "addr":
        filters.push(({ address }) => address === text);
        break;
      case "laddr":
        filters.push(({ localAddress }) => localAddress === text);
        break;
      case "user":
        if (text !== USER) refuse(`ERR No such user '${text}'`);
        filters.push(({ user }) => user === text);
        break;
      case "type":
        filters.push(typeFilter(request, i + 1));
        break;
      case "skipme":
        skipsSelf = yesOrNo(request, i + 1);
        break;
      default:
        syntaxError();
    }
  }
  return (one) => (!skipsSelf || one.id !== row.id) && filters.every((filter) => filter(one));
}

function idFilter(request: RespRequest, index: number): (row: ClientRow) => boolean {
  const wanted = integerArgument(request, index, "ERR client-id should be greater than 0");
  if (wanted <= 0n) refuse("ERR client-id should be greater than 0");
  return ({ id }) => BigInt(id) === wanted;
}

function yesOrNo(request: RespRequest, index: number): boolean {
  const word = request.word(index);
  return word === "yes" || (word === "no" ? false : syntaxError());
}

function setname({ request, reply, client }: CommandCall): void {
  client.name = clientName(request, 2);
  reply.simple("OK");
}

function getname({ reply, client }: CommandCall): void {
  if (client.name === "") reply.none();
  else reply.bulkText(client.name);
}

/** CLIENT SETINFO LIB-NAME | LIB-VER text. */
function setinfo({ request, reply, client }: CommandCall): void {
  const word = request.word(2);
  const text = request.text(3);
  if (!/^[!-~]{0,256}$/.test(text)) refuse(`ERR ${word} cannot contain spaces, newlines or special characters.`);
  if (word === "lib-name") client.library = text;
  else if (word === "lib-ver") client.libraryVersion = text;
  else refuse(`ERR Unrecognized option '${request.text(2)}'`);
  reply.simple("OK");
}

/** NO-EVICT and NO-TOUCH: clients are never ended for memory here, and reads of single clients are not counted. */
function acceptOnOff({ request, reply }: CommandCall): void {
  if (!["on", "off"].includes(request.word(2))) syntaxError();
  reply.simple("OK");
}

const local = { kind: "local" } as const;

export const CLIENT_COMMANDS = defineCommands("connection", [
  {
    ...local,
    name: "client|id",
    arity: 2,
    run: ({ reply, row }) => reply.integer(row.id),
    summary: "Number of this connection",
  },
  { ...local, name: "client|getname", arity: 2, run: getname, summary: "Name of this connection" },
  { ...local, name: "client|setname", arity: 3, run: setname, summary: "Names this connection" },
  { ...local, name: "client|setinfo", arity: 4, run: setinfo, summary: "Says which library the client is" },
  { ...local, name: "client|list", arity: -2, run: list, summary: "All connections of this member" },
  {
    ...local,
    name: "client|info",
    arity: 2,
    run: ({ reply, row }) => reply.verbatim(clientLine(row, row.lastActiveAt)),
    summary: "This connection",
  },
  { ...local, name: "client|kill", arity: -3, run: kill, summary: "Ends connections" },
  { ...local, name: "client|no-evict", arity: 3, run: acceptOnOff, summary: "Accepted, without effect" },
  { ...local, name: "client|no-touch", arity: 3, run: acceptOnOff, summary: "Accepted, without effect" },
]);

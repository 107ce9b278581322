/** Keys in requests, and reading of their values. */
import { DEFAULT_STATE_LIMITS } from "../state/limits.ts";
import type { LookOperation } from "../state/operation.ts";
import type { CommandCall, ReplyForm } from "./command.ts";
import { refuse } from "./errors.ts";
import type { RespWriter } from "./resp-writer.ts";
import type { RespRequest } from "./request.ts";

/** A view. @throws {CommandRefusal} when it exceeds the limit of keys */
export function keyArgument(request: RespRequest, index: number): Uint8Array {
  checkKeyLength(request, index);
  return request.argument(index);
}

/** @throws {CommandRefusal} */
export function checkKeyLength(request: RespRequest, index: number): void {
  const { keyBytes } = DEFAULT_STATE_LIMITS;
  if (request.lengthOf(index) > keyBytes) refuse(`ERR key is longer than ${keyBytes} bytes`);
}

/** For a transaction: proposes a look at the keys of the request from `first` on. */
export function lookAt(
  call: CommandCall,
  { first, end, wants }: { readonly first: number; readonly end?: number; readonly wants: LookOperation["wants"] },
  form: ReplyForm,
): void {
  const last = end ?? call.request.count;
  const keys = Array.from({ length: last - first }, (_, i) => keyArgument(call.request, first + i));
  if (wants === "value") for (let i = first; i < last; i++) call.expectValue(valueBytesAt(call, i));
  call.propose({ type: "look", cache: call.client.cache, keys, wants }, form);
}

/** Length of the key's value, 0 for none. */
export function valueBytesAt({ request, client, backend, wall }: CommandCall, index: number): number {
  const cache = backend.store.state.findCache(client.cache);
  const slot = cache?.findLive(wall, request.bytes, request.startOf(index), request.lengthOf(index)) ?? 0;
  return cache?.table.slots.valueLength[slot] ?? 0;
}

/** Replies with the value of the key at `index`, or null; copies it once, from its place in the state. */
export function replyValue({ request, client, backend, wall }: CommandCall, index: number, reply: RespWriter): void {
  const cache = backend.store.state.findCache(client.cache);
  const slot = cache?.findLive(wall, request.bytes, request.startOf(index), request.lengthOf(index)) ?? 0;
  if (slot === 0 || cache === undefined) {
    backend.counts.misses++;
    return reply.none();
  }
  backend.counts.hits++;
  cache.table.slots.noteUse(slot, wall);
  cache.table.readValue(slot, reply);
}

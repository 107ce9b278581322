/** Commands on more keys than one turn of the event loop should take: executed in pieces. */
import type { CommandCall } from "./command.ts";
import { refuse } from "./errors.ts";
import { RespWriter } from "./resp-writer.ts";

export interface KeyWalk {
  /** @param index  of the key among the words of the request */
  readonly each: (index: number) => void;
  readonly finish: () => void;
  readonly heldBytes?: () => number;
}

/** All keys of the request, from its second word on: at once if they are few. */
export function overKeys(call: CommandCall, { each, finish, heldBytes = () => 0 }: KeyWalk): void {
  const { request, limits } = call;
  const walkTo = (from: number, end: number): void => {
    for (let index = from; index < end; index++) each(index);
    if (end === request.count) finish();
  };
  if (!call.mayGoOn || request.count - 1 <= limits.keysInPiece) return walkTo(1, request.count);
  let next = 1;
  call.goOn({
    goOn: () => {
      const end = Math.min(request.count, next + limits.keysInPiece);
      walkTo(next, end);
      next = end;
      return end === request.count;
    },
    get heldBytes() {
      return heldBytes();
    },
  });
}

/** For a list whose length is known only at its end. */
export function listWriter({ reply, limits }: CommandCall): RespWriter {
  const list = new RespWriter(() => refuse(`ERR the reply is larger than ${limits.replyBytes} bytes`));
  list.protocol = reply.protocol;
  list.ceiling = limits.replyBytes;
  return list;
}

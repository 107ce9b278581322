/** Commands of one client, from connect on. What comes while connect is judged is held, to be followed in order. */
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import { type CommandMessage, decodeCommand } from "./command-message.ts";
import { type ConnectCommand, type ConnectRequest, readConnectCommand } from "./connect-request.ts";
import { CONNECTION_COMMANDS } from "./connection-commands.ts";
import { RtmpDialogueError, RtmpLimitError, RtmpOrderError } from "./errors.ts";
import type { TransactionId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import type { ReceivedCommand, ServerDialogue } from "./server-dialogue.ts";
import { STREAM_COMMANDS } from "./stream-commands.ts";

type ConnectState =
  | { readonly at: "awaiting-connect" | "rejected" }
  | ({ readonly at: "connect-pending"; readonly transactionId: TransactionId } & ConnectCommand)
  | { readonly at: "connected"; readonly request: ConnectRequest };

export class ServerCommands {
  readonly #dialogue: ServerDialogue;
  readonly #limits: RtmpLimits;
  #state: ConnectState = { at: "awaiting-connect" };
  #held: Message[] = [];
  #heldBytes = 0;

  constructor(dialogue: ServerDialogue, limits: RtmpLimits) {
    this.#dialogue = dialogue;
    this.#limits = limits;
  }

  get phase(): ConnectState["at"] {
    return this.#state.at;
  }

  /** What the client asked for; `undefined` before. */
  get request(): ConnectRequest | undefined {
    return "request" in this.#state ? this.#state.request : undefined;
  }

  /** Follows a command message. @throws {WireError | LimitError} */
  receive(message: Message): void {
    const byteCount = message.payload.length;
    const { commandBytes } = this.#limits;
    if (byteCount > commandBytes)
      throw new RtmpLimitError({ limit: "commandBytes", value: byteCount, maximum: commandBytes });
    const command = decodeCommand(message.payload, message.typeId);
    if (command.name === "connect" || this.#state.at === "awaiting-connect") this.#connect(command);
    else this.#follow({ ...command, messageStreamId: message.messageStreamId });
  }

  /** Keeps a message until the verdict on connect. @throws {RtmpLimitError} */
  hold(message: Message): void {
    const { heldMessages, heldBytes } = this.#limits;
    this.#heldBytes += message.payload.length;
    if (this.#held.length >= heldMessages)
      throw new RtmpLimitError({ limit: "heldMessages", value: this.#held.length + 1, maximum: heldMessages });
    if (this.#heldBytes > heldBytes)
      throw new RtmpLimitError({ limit: "heldBytes", value: this.#heldBytes, maximum: heldBytes });
    this.#held.push(message);
  }

  /** What was held, oldest first. */
  takeHeld(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** Ends the wait for a verdict; answers what was asked. @throws {RtmpOrderError} nothing was asked */
  judge(verdict: "accept" | "reject"): ConnectCommand & { readonly transactionId: TransactionId } {
    const state = this.#state;
    if (state.at !== "connect-pending") throw new RtmpOrderError({ action: `${verdict} connect`, phase: state.at });
    this.#state = verdict === "accept" ? { at: "connected", request: state.request } : { at: "rejected" };
    if (verdict === "reject") this.takeHeld();
    return state;
  }

  #connect(command: CommandMessage): void {
    if (command.name !== "connect" || this.#state.at !== "awaiting-connect")
      throw new RtmpDialogueError({
        command: cutText(command.name, CLAIM_LIMITS.methodCharacters),
        phase: this.#state.at,
      });
    const connect = readConnectCommand(command, this.#limits);
    this.#state = { at: "connect-pending", transactionId: command.transactionId, ...connect };
    this.#dialogue.tell({ type: "connect", ...connect });
  }

  #follow(command: ReceivedCommand): void {
    const follow = STREAM_COMMANDS.get(command.name) ?? CONNECTION_COMMANDS.get(command.name);
    if (follow !== undefined) follow(this.#dialogue, command);
    else this.#surface(command);
  }

  /** Results and calls are for the application above; a stray status is dropped. */
  #surface(command: ReceivedCommand): void {
    const { name, transactionId, commandObject, args, messageStreamId } = command;
    if (name === "_result" || name === "_error")
      this.#dialogue.tell({ type: "call-result", transactionId, isError: name === "_error", values: args });
    else if (name !== "onStatus")
      this.#dialogue.tell({ type: "call", name, transactionId, messageStreamId, commandObject, args });
  }
}

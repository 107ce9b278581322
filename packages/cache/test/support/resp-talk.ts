/** Talks to a session of the one member, in text. */
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import type { CommandSession } from "@sluice/cache/resp/command-session";
import { OneMember } from "./one-member.ts";

export class Talk {
  readonly member: OneMember;
  readonly session: CommandSession;

  constructor(options: ConstructorParameters<typeof OneMember>[0] | OneMember = {}) {
    this.member = options instanceof OneMember ? options : new OneMember(options);
    this.session = this.member.open();
  }

  /** Sends, lets the log go on, and answers all that came back. */
  say(text: string): string {
    this.session.receive(latin1Bytes(text), this.member.time);
    this.member.turn();
    return this.hear();
  }

  /** Sends, and leaves the log as it is. */
  send(text: string): void {
    this.session.receive(latin1Bytes(text), this.member.time);
  }

  hear(): string {
    let heard = "";
    for (let bytes = this.session.nextOutput(); bytes !== undefined; bytes = this.session.nextOutput())
      heard += latin1(bytes);
    return heard;
  }
}

export function request(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

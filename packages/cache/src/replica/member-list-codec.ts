/** A member list to bytes and back: the body of a `members` record, and a part of a snapshot's head. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import type { MemberId } from "../ids.ts";
import { MemberMessageError, MemberMessageLimitError } from "./errors.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { Member, MemberList } from "./members.ts";

export type MemberListLimits = Pick<ReplicaLimits, "members" | "memberIdBytes" | "addressBytes">;

/**
 * | field   | form        | meaning                  |
 * | ------- | ----------- | ------------------------ |
 * | count   | u8          |                          |
 * | role    | u8          | 0 learner, 1 voter       |
 * | id      | u8 + UTF-8  | length, text             |
 * | address | u16 + UTF-8 | length, text             |
 */
export function writeMemberList(w: ByteWriter, members: MemberList): void {
  w.u8(members.length);
  for (const { id, role, address } of members) {
    const idBytes = encodeUtf8(id);
    const addressBytes = encodeUtf8(address);
    w.u8(role === "voter" ? 1 : 0)
      .u8(idBytes.length)
      .bytes(idBytes)
      .u16(addressBytes.length)
      .bytes(addressBytes);
  }
}

export function readMemberList(r: ByteReader, limits: MemberListLimits): MemberList {
  const count = withinLimit("member count", r.u8(), limits.members);
  const members: Member[] = [];
  for (let i = 0; i < count; i++) members.push(readMember(r, limits));
  if (new Set(members.map((member) => member.id)).size < count)
    throw new MemberMessageError({ what: "member list", value: "one id twice" });
  return members;
}

function readMember(r: ByteReader, limits: MemberListLimits): Member {
  const role = r.u8();
  if (role > 1) throw new MemberMessageError({ what: "member role", value: role });
  const id = r.utf8(withinLimit("member id bytes", r.u8(), limits.memberIdBytes)) as MemberId;
  const address = r.utf8(withinLimit("member address bytes", r.u16(), limits.addressBytes));
  return { id, role: role === 1 ? "voter" : "learner", address };
}

export function encodeMemberList(members: MemberList): Uint8Array {
  const w = new ByteWriter();
  writeMemberList(w, members);
  return w.finish();
}

export function decodeMemberList(bytes: Uint8Array, limits: MemberListLimits): MemberList {
  const r = new ByteReader(bytes);
  const members = readMemberList(r, limits);
  if (r.remaining > 0) throw new MemberMessageError({ what: "bytes after member list", value: r.remaining });
  return members;
}

/** @throws {MemberMessageLimitError} */
export function withinLimit(what: string, value: number, limit: number): number {
  if (value > limit) throw new MemberMessageLimitError({ what, value, limit });
  return value;
}

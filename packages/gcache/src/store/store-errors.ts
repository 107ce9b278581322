/** Errors of a member's disk. */
import { statfsSync } from "node:fs";
import { StateError, UnavailableError } from "@sluice/base/errors";

/** Another process has the folder open: two members must never write one log. */
export class StoreLockedError extends UnavailableError {
  override readonly name = "StoreLockedError";
  readonly code = "UNAVAILABLE_STORE_LOCKED";
  readonly context: { readonly dir: string; readonly holder: string };
  constructor(context: { readonly dir: string; readonly holder: string }) {
    super(`Cannot open store in "${context.dir}": ${context.holder} has it open`);
    this.context = context;
  }
}

/** The files are not a valid store: damaged, or of another program. They are left unchanged. */
export class StoreCorruptError extends UnavailableError {
  override readonly name = "StoreCorruptError";
  readonly code = "UNAVAILABLE_STORE_CORRUPT";
  readonly context: { readonly dir: string; readonly detail: string };
  constructor(context: { readonly dir: string; readonly detail: string }) {
    super(
      `Cannot use store in "${context.dir}": ${context.detail}; set the folder aside, remove the member and add it again empty`,
    );
    this.context = context;
  }
}

/** The store was written by a newer version. */
export class StoreVersionError extends UnavailableError {
  override readonly name = "StoreVersionError";
  readonly code = "UNAVAILABLE_STORE_VERSION";
  readonly context: { readonly dir: string; readonly found: number; readonly known: number };
  constructor(context: { readonly dir: string; readonly found: number; readonly known: number }) {
    super(
      `Cannot use store in "${context.dir}": its format ${context.found} is newer than ${context.known}, the newest known here`,
    );
    this.context = context;
  }
}

/** The folder holds another member's store. */
export class StoreOwnerError extends UnavailableError {
  override readonly name = "StoreOwnerError";
  readonly code = "UNAVAILABLE_STORE_OWNER";
  readonly context: { readonly dir: string; readonly owner: string; readonly wanted: string };
  constructor(context: { readonly dir: string; readonly owner: string; readonly wanted: string }) {
    super(`Cannot use store in "${context.dir}": it belongs to member "${context.owner}", not "${context.wanted}"`);
    this.context = context;
  }
}

/** The disk refuses: full, read-only, gone. After a failed write nothing more is acknowledged. */
export class StoreIoError extends UnavailableError {
  override readonly name = "StoreIoError";
  readonly code = "UNAVAILABLE_STORE_IO";
  readonly context: { readonly dir: string; readonly action: string; readonly reason: string };
  constructor(context: { readonly dir: string; readonly action: string }, cause: unknown) {
    const reason = isFull(context.dir) ? "the disk is full" : reasonOf(cause);
    super(`Cannot ${context.action} store in "${context.dir}": ${reason}`, { cause });
    this.context = { ...context, reason };
  }
}

/** A call after `close`, or after a write failed. */
export class StoreClosedError extends StateError {
  override readonly name = "StoreClosedError";
  readonly code = "STATE_STORE_CLOSED";
  readonly context: { readonly dir: string };
  constructor(context: { readonly dir: string }) {
    super(`Cannot write to store in "${context.dir}": it is closed`);
    this.context = context;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "it is not a folder",
  EIO: "the disk reports an error",
};

/** Above this size, lmdb reports a write that did not fit as an input/output error. */
const FULL_BYTES = 256 * 1024;

function isFull(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < FULL_BYTES;
  } catch {
    return false;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== undefined && code in REASONS) return REASONS[code] as string;
  for (const text of ["No space left on device", "Read-only file system", "Permission denied", "Input/output error"]) {
    if (message.includes(text)) return BY_TEXT[text] as string;
  }
  return message;
}

/** lmdb's messages for errors without a code. */
const BY_TEXT: Readonly<Record<string, string>> = {
  "No space left on device": "the disk is full",
  "Read-only file system": "the file system is read-only",
  "Permission denied": "this user may not write there",
  "Input/output error": "the disk reports an error",
};

/** Admin access in the form that the HTTP routes ask for: allowed, or a status with words for people. */
import { type AdminAccess, type AdminRequest, decideAdminAccess } from "./admin-access.ts";

export interface Caller {
  readonly address: string;
  readonly headers: AdminRequest["headers"];
  /** What it showed, by whatever way the route allows. */
  readonly token: string | undefined;
}

export type AdminVerdict = "allowed" | { readonly status: 401 | 403; readonly message: string };

const REFUSALS: Readonly<Record<Exclude<AdminAccess, "allowed">, Exclude<AdminVerdict, "allowed">>> = {
  "token-required": { status: 401, message: "The admin token is needed (the configured admin.token)" },
  "token-wrong": { status: 401, message: "The token is wrong" },
  forbidden: {
    status: 403,
    message: "Only calls from this machine itself are allowed, because no admin.token is configured",
  },
};

/** @param configured  the token that holds now */
export function adminVerdicts(configured: () => string | undefined): (caller: Caller) => AdminVerdict {
  return ({ address, headers, token: shown }) => {
    const access = decideAdminAccess({ remoteAddress: address, headers, token: configured(), shown });
    return access === "allowed" ? access : REFUSALS[access];
  };
}

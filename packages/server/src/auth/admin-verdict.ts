/** Admin access in the form that the HTTP routes ask for: allowed, or a status with words for people. */
import { type AdminAccess, type AdminCaller, decideAdminAccess } from "./admin-access.ts";

export type AdminVerdict = "allowed" | { readonly status: 401 | 403; readonly message: string };

const REFUSALS: Readonly<Record<Exclude<AdminAccess, "allowed">, Exclude<AdminVerdict, "allowed">>> = {
  "token-required": { status: 401, message: "The admin token is needed (the configured admin.token)" },
  "token-wrong": { status: 401, message: "The token is wrong" },
  forbidden: {
    status: 403,
    message: "Only calls from this machine itself are allowed, because no admin.token is configured",
  },
  indirect: {
    status: 403,
    message:
      "Only direct calls of this machine's own programs and pages are allowed, because no admin.token is configured; this one came through a proxy, or from a page of another site",
  },
};

/** @param configured  the token that holds now */
export function adminVerdicts(configured: () => string | undefined): (caller: AdminCaller) => AdminVerdict {
  return (caller) => {
    const access = decideAdminAccess(caller, configured());
    return access === "allowed" ? access : REFUSALS[access];
  };
}

/** The warning about what is open to everybody, with the keys that close it. */

/** Applications where an action needs nothing; "" stands for all those without rules of their own. */
export interface OpenActions {
  readonly publish: readonly string[];
  readonly play: readonly string[];
}

const ACTIONS = ["publish", "play"] as const;

/** `undefined` when nothing is open. */
export function openWarning(open: OpenActions): string | undefined {
  const actions = ACTIONS.filter((action) => open[action].length > 0);
  if (actions.length === 0) return undefined;
  const what = actions.map((action) => {
    const names = namesToTell(open[action]);
    return names[0] === "" ? action : `${action} under ${names.map((name) => `"${name}"`).join(", ")}`;
  });
  const keys = actions.flatMap((action) =>
    namesToTell(open[action]).map((name) => `${name === "" ? "" : `applications.${name}.`}auth.${action}`),
  );
  return `Anybody who reaches this node may ${what.join(" and ")}. To close it set ${keys.join(" and ")} to jwt, signed or hook (docs/guide/guarding.md)`;
}

/** Where everything else is open, single applications need no words. */
function namesToTell(names: readonly string[]): readonly string[] {
  return names.includes("") ? [""] : names;
}

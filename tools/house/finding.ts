/** A finding of a check: one line with place and problem. */

export interface Finding {
  /** A refused finding fails the check; a warning is only listed. */
  readonly weight: "refused" | "warning";
  /** Path from the root. */
  readonly where: string;
  readonly what: string;
}

export function refused(where: string, what: string): Finding {
  return { weight: "refused", where, what };
}

export function warning(where: string, what: string): Finding {
  return { weight: "warning", where, what };
}

/** Prints the findings; returns the exit code. */
export function report(check: string, findings: readonly Finding[]): number {
  const refusals = findings.filter((finding) => finding.weight === "refused");
  for (const finding of findings) {
    const sign = finding.weight === "refused" ? "refused" : "look at";
    console.log(`${sign} ${finding.where}: ${finding.what}`);
  }
  console.log(`${check}: ${refusals.length === 0 ? "nothing to refuse" : `${refusals.length} refused`}`);
  return refusals.length === 0 ? 0 : 1;
}

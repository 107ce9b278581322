/** What is wrong with a configuration: everything at once, each with its path. */

export interface Problem {
  /** Dotted path of the key; empty when the problem is not about one. */
  readonly path: string;
  /** Where it was written: a file, an environment variable, an option. */
  readonly where: string;
  readonly message: string;
}

/** The configuration cannot be used; its author must act. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(
      `Cannot use configuration: ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}\n${problems.map((problem) => `  ${problemLine(problem)}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

/** One problem as one line of text. */
export function problemLine(problem: Problem): string {
  const subject = [problem.path, problem.where && `(${problem.where})`].filter(Boolean).join(" ");
  return `${subject}: ${problem.message}`;
}

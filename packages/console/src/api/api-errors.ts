// Errors between the console and the admin API.

/** The server answered, but not with success. */
export class ApiAnswerError extends Error {
  override readonly name = "ApiAnswerError";
  readonly code: string;
  readonly context: { readonly path: string; readonly status: number };

  constructor(code: string, message: string, context: { readonly path: string; readonly status: number }) {
    super(message);
    this.code = code;
    this.context = context;
  }

  get isUnauthorized(): boolean {
    return this.context.status === 401;
  }
}

/** No answer came at all: server down, network gone, or the request timed out. */
export class ApiUnreachableError extends Error {
  override readonly name = "ApiUnreachableError";
  readonly code = "UNAVAILABLE_ADMIN_API";
  readonly context: { readonly path: string };

  constructor(context: { readonly path: string }, cause: unknown) {
    super(`Cannot reach the server: no answer to "${context.path}"`, { cause });
    this.context = context;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

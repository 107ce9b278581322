// Asks for the token that the server requires, and reopens the console with it.
import { useState } from "preact/hooks";
import { Logo } from "../ui/logo.tsx";

export function TokenForm() {
  const [token, setToken] = useState("");
  // The token was rejected: say so instead of asking as if for the first time.
  const wasRejected = new URLSearchParams(location.search).has("token");
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim()) location.assign(`/console/?token=${encodeURIComponent(token.trim())}${location.hash}`);
  };
  return (
    <main class="gate">
      <form class="panel gate-form" onSubmit={submit}>
        <Logo />
        <h1>This console is locked</h1>
        <p>Enter the admin token of this node to go on.</p>
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            // biome-ignore lint/a11y/noAutofocus: the page has one purpose and one field
            autofocus
            value={token}
            aria-invalid={wasRejected}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {wasRejected && (
          <p class="field-error" role="alert">
            The server did not accept that token.
          </p>
        )}
        <button type="submit" class="button primary" disabled={token.trim() === ""}>
          Unlock
        </button>
      </form>
    </main>
  );
}

/** The small page for a browser that may not see the console: it asks for the admin token, or tells how to set one. */

export const TOKEN_PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
  :root { color-scheme: dark light; font: 16px/1.5 system-ui, sans-serif; }
  body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
  main { box-sizing: border-box; width: min(40rem, 100%); padding: 1.5rem; }
  h1 { margin: 0 0 .5rem; font-size: 1.25rem; }
  h2 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
  p { margin: 0 0 .75rem; opacity: .8; }
  pre { margin: 0 0 .75rem; padding: .6rem .8rem; border: 1px solid #8888; border-radius: .5rem; overflow-x: auto; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; min-width: 0; }
  input, button { padding: .6rem .8rem; border: 1px solid #8888; border-radius: .5rem; font: inherit; }
  button { cursor: pointer; }
`;

const FORM = `<form method="get" action="/console/">
<input type="password" name="token" aria-label="Admin token" placeholder="Admin token" autocomplete="current-password" required autofocus>
<button>Open console</button>
</form>
`;

/** Where the browser found the node, as far as the request tells. */
export interface NodeAddress {
  /** From the Host header, without port; its sender's claim. */
  readonly host: string;
  /** Of the listener. */
  readonly port: number;
  readonly scheme: "http" | "https";
}

/**
 * @param message  why the browser was not let in; shown as text
 * @param remedy   what helps: the token, or where none is configured, words on how to set one
 */
export function tokenPage(message: string, remedy: "ask-token" | NodeAddress): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice: no entry</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Sluice</h1>
<p>${escapeHtml(message)}</p>
${remedy === "ask-token" ? FORM : waysIn(remedy)}</main>
</body>
</html>
`;
}

function waysIn({ host, port, scheme }: NodeAddress): string {
  const tunnel = `ssh -L ${port}:127.0.0.1:${port} ${PLAIN_HOST.test(host) ? host : "HOST"}`;
  const here = `${scheme}://127.0.0.1:${port}/console/`;
  return `<p>Does this browser run on the machine of the node, and a link elsewhere led here? Then <a href="/console/">open the console</a> from here.</p>
<h2>Set a token</h2>
<p>Make one where Sluice runs, and start it again with it; where a configuration file names it, SIGHUP is enough. This page then asks for the token.</p>
<pre>openssl rand -hex 24 &gt; admin.token
./sluice --set admin.tokenFile=admin.token</pre>
<p>In a configuration file the key is <code>admin.tokenFile</code>, in the environment <code>SLUICE_ADMIN_TOKEN</code> holds the token itself.</p>
<h2>Or come in by SSH</h2>
<p>Run this on your own machine, then open <a href="${here}">${here}</a> there.</p>
<pre>${escapeHtml(tunnel)}</pre>
`;
}

/** What can stand in a command line as it is. */
const PLAIN_HOST = /^[a-z0-9][a-z0-9.-]{0,252}$/i;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

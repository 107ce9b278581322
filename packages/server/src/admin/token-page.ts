/** The small page that asks a browser for the admin token. */

export const TOKEN_PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
  :root { color-scheme: dark light; font: 16px/1.5 system-ui, sans-serif; }
  body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
  main { box-sizing: border-box; width: min(24rem, 100%); padding: 1.5rem; }
  h1 { margin: 0 0 .5rem; font-size: 1.25rem; }
  p { margin: 0 0 1rem; opacity: .8; }
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

/**
 * @param message  why the browser was not let in; shown as text
 * @param remedy   none where no token would open either
 */
export function tokenPage(message: string, remedy: "ask-token" | "none"): string {
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
${remedy === "ask-token" ? FORM : ""}</main>
</body>
</html>
`;
}

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

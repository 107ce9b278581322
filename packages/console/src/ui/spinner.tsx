// A quiet sign that something is under way.

export function Spinner() {
  return <span class="spinner" aria-hidden="true" />;
}

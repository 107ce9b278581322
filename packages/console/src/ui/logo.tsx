// The mark of Sluice: a gate with water passing under it.

export function Logo() {
  return (
    <svg class="logo" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <path class="logo-gate" d="M9 5.5v20M23 5.5v20M9 11.5h14" />
      <path class="logo-water" d="M4 20.5c2-2 4-2 6 0s4 2 6 0 4-2 6 0 4 2 6 0" />
    </svg>
  );
}

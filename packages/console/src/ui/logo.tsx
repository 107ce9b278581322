// The mark of Sluice: a gate with water passing under it.

export function Logo() {
  return (
    <svg class="logo" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <path class="logo-gate" d="M7 4.5v22M25 4.5v22" />
      <rect class="logo-leaf" x="11" y="5" width="10" height="10.5" rx="1.5" />
      <path class="logo-water" d="M11 21.5c1.7-1.7 3.3-1.7 5 0s3.3 1.7 5 0M11 26.5c1.7-1.7 3.3-1.7 5 0s3.3 1.7 5 0" />
    </svg>
  );
}

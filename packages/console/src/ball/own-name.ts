// What a visitor is called: made up at first, kept in the browser, and theirs to change.

const KEPT = "sluice.ball.name";

const NAMES = ["Otter", "Heron", "Marten", "Lynx", "Plover", "Badger", "Newt", "Swift", "Pike", "Wren", "Hare", "Elk"];

/** @returns reads the name as it is now */
export function ownName(field: HTMLElement): () => string {
  const input = field as HTMLInputElement;
  input.value = kept() ?? `${NAMES[Math.floor(Math.random() * NAMES.length)]} ${Math.floor(Math.random() * 90) + 10}`;
  input.addEventListener("change", () => keep(input.value.trim()));
  return () => input.value.trim() || "somebody";
}

/** Storage may be switched off. */
function kept(): string | undefined {
  try {
    return localStorage.getItem(KEPT) || undefined;
  } catch {
    return undefined;
  }
}

function keep(name: string): void {
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // It is asked for again next time.
  }
}

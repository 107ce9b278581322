// A search field for lists; the slash key jumps to it.
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";

export interface FilterFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function FilterField({ label, value, onChange }: FilterFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", jump);
    return () => removeEventListener("keydown", jump);
  }, []);
  return (
    <label class="filter">
      <Icon name="search" size={16} />
      <span class="visually-hidden">{label}</span>
      <input
        ref={field}
        type="search"
        placeholder={label}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
        spellcheck={false}
        autocomplete="off"
      />
    </label>
  );
}

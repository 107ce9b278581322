// The properties of an object as they change, each to be edited or removed, and a line for a new one.
import type { PropertyRow } from "@sluice/client/admin-objects";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiAnswerError, messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { typedOf, valueOf } from "./object-words.ts";

export interface PropertyTableProps {
  readonly path: string;
  readonly properties: readonly PropertyRow[];
  /** Those that are not shown included. */
  readonly total: number;
  readonly onChanged: () => void;
}

export function PropertyTable({ path, properties, total, onChanged }: PropertyTableProps) {
  return (
    <section class="panel section properties" aria-labelledby="properties-title">
      <h2 id="properties-title">
        Properties <span class="page-count">{total}</span>
      </h2>
      {properties.length < total && <p class="faint">The first {properties.length} are shown, by name.</p>}
      <ul class="property-list">
        {properties.map((property) => (
          <Property key={property.name} path={path} property={property} onChanged={onChanged} />
        ))}
      </ul>
      <NewProperty path={path} onChanged={onChanged} />
    </section>
  );
}

interface PropertyProps {
  readonly path: string;
  readonly property: PropertyRow;
  readonly onChanged: () => void;
}

function Property({ path, property, onChanged }: PropertyProps) {
  const { name, value, at } = property;
  const change = useChange(onChanged);
  /** What is being edited: the position it had, so that another's change is not written over unseen. */
  const [edited, edit] = useState<{ readonly at: string; readonly text: string }>();
  const { api } = useConsole();
  const save = async (text: string) => {
    const position = edited?.at ?? at;
    if (await change(() => api.setProperty(path, name, valueOf(text), position))) edit(undefined);
  };
  return (
    <li class="property" data-property={name}>
      <span class="property-name">{name}</span>
      {edited === undefined ? (
        <>
          {/* A new position is a new element, which lights up. */}
          <code key={at} class="property-value" title={at}>
            {JSON.stringify(value)}
          </code>
          <span class="property-actions">
            <button
              type="button"
              class="button small"
              aria-label={`Edit ${name}`}
              onClick={() => edit({ at, text: typedOf(value) })}
            >
              Edit
            </button>
            <IconButton
              icon="close"
              label={`Remove ${name}`}
              onClick={() => void change(() => api.removeProperty(path, name))}
            />
          </span>
        </>
      ) : (
        <ValueField name={name} text={edited.text} onSave={save} onCancel={() => edit(undefined)} />
      )}
    </li>
  );
}

interface ValueFieldProps {
  readonly name: string;
  readonly text: string;
  readonly onSave: (text: string) => Promise<void>;
  readonly onCancel: () => void;
}

function ValueField({ name, text: first, onSave, onCancel }: ValueFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(first);
  useEffect(() => field.current?.select(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    void onSave(text);
  };
  return (
    <form class="property-form" onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onCancel()}>
      <input
        ref={field}
        class="property-field mono"
        aria-label={`Value of ${name}`}
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button small">
        Save
      </button>
      <IconButton icon="close" label="Cancel" onClick={onCancel} />
    </form>
  );
}

function NewProperty({ path, onChanged }: Omit<PropertyTableProps, "properties" | "total">) {
  const { api } = useConsole();
  const change = useChange(onChanged);
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (name === "" || !(await change(() => api.setProperty(path, name, valueOf(text), "none")))) return;
    setName("");
    setText("");
  };
  const field = (label: string, value: string, onInput: (value: string) => void) => (
    <input
      class="property-field mono"
      aria-label={label}
      placeholder={label}
      value={value}
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
  return (
    <form class="property-form new-property" onSubmit={(event) => void submit(event)}>
      {field("New property", name, setName)}
      {field("Value, as JSON or text", text, setText)}
      <button type="submit" class="button small" disabled={name === ""}>
        Add
      </button>
    </form>
  );
}

/** @returns a function that says whether it was done; if not, the toast says why */
function useChange(onChanged: () => void): (deed: () => Promise<unknown>) => Promise<boolean> {
  const { toasts } = useConsole();
  return async (deed) => {
    try {
      await deed();
      onChanged();
      return true;
    } catch (error) {
      const isStale = error instanceof ApiAnswerError && error.message.includes("stale");
      const text = isStale ? "Somebody else has changed it meanwhile: look again" : messageOf(error);
      toasts.show({ kind: "error", text });
      onChanged();
      return false;
    }
  };
}

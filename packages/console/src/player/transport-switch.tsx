// Chooses how the player fetches the stream.

export type Transport = "ws" | "http";

const CHOICES = [
  { value: "ws", label: "WS-FLV" },
  { value: "http", label: "HTTP-FLV" },
] as const;

export interface TransportSwitchProps {
  readonly value: Transport;
  readonly onChange: (value: Transport) => void;
}

export function TransportSwitch({ value, onChange }: TransportSwitchProps) {
  return (
    <fieldset class="switch">
      <legend class="visually-hidden">Transport</legend>
      {CHOICES.map((choice) => (
        <label key={choice.value} class="switch-choice">
          <input
            type="radio"
            name="transport"
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

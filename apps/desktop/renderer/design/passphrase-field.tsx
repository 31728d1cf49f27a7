/**
 * A field for a passphrase: never shown, never filled in by the browser unless it is the console's own.
 *
 * @module
 */
interface Props {
  readonly label: string;
  readonly kind: "new" | "kit" | "lock";
  readonly value: string;
  readonly onChange: (passphrase: string) => void;
  readonly hint?: string;
}

const completions = { new: "new-password", kit: "off", lock: "current-password" } as const;

export function PassphraseField({ label, kind, value, onChange, hint }: Props) {
  return (
    <label className="field">
      {label}
      <input
        className="field-input"
        type="password"
        autoComplete={completions[kind]}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint !== undefined && <span className="field-hint">{hint}</span>}
    </label>
  );
}

/**
 * What a device is called.
 *
 * @module
 */
interface Props {
  readonly label: string;
  readonly name: string;
  readonly setName: (name: string) => void;
}

export function NameField({ label, name, setName }: Props) {
  return (
    <label className="field">
      {label}
      <input
        className="field-input"
        value={name}
        maxLength={MAX_NAME_CHARS}
        onChange={(event) => setName(event.target.value)}
      />
    </label>
  );
}

/** What the contract admits. */
const MAX_NAME_CHARS = 64;

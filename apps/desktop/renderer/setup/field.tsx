/**
 * One field of a form: its label, its input, a hint. What is secret stays in the input and nowhere else.
 *
 * @module
 */
import { useId, type ComponentProps } from "react";

interface Props extends ComponentProps<"input"> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly wrong?: string | undefined;
}

export function Field({ label, hint, wrong, className = "field-input", ...rest }: Props) {
  const id = useId();
  const said = wrong ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={className}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={wrong !== undefined}
        aria-describedby={said === undefined ? undefined : `${id}-said`}
        {...rest}
      />
      {said !== undefined && (
        <p id={`${id}-said`} className={wrong === undefined ? "field-hint" : "field-wrong"}>
          {said}
        </p>
      )}
    </div>
  );
}

/** A password or the like: never drawn, never remembered by the browser. */
export function SecretField({ label, hint, ...rest }: Props) {
  return (
    <Field
      type="password"
      label={label}
      hint={hint}
      maxLength={MAX_SECRET_CHARS}
      autoComplete="new-password"
      {...rest}
    />
  );
}

/** What the contract admits. */
const MAX_SECRET_CHARS = 1_024;

export function Check({ label, ...rest }: ComponentProps<"input"> & { readonly label: string }) {
  return (
    <label className="setup-check">
      <input type="checkbox" {...rest} />
      {label}
    </label>
  );
}

/** What a form's field holds: read when it is sent, and held nowhere else. */
export function typed(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/**
 * As whom, and by what. What is typed leaves the page with the form, and is kept nowhere in it.
 *
 * @module
 */
import { useId, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Setup } from "../../ipc/contract.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Spinner } from "../design/parts.tsx";
import { Field, SecretField, typed } from "./field.tsx";
import { serverText, type StageProps } from "./use-setup.ts";
import { WishesForm } from "./wishes-form.tsx";

const kinds = ["password", "key", "agent"] as const;
type Kind = (typeof kinds)[number];

/** 64 KiB: a longer file is no private key. */
const MAX_KEY_BYTES = 65_536;
/** Stands for a file that is not in the list; no file is called so. */
const OTHER = "/";

/** Signing in takes the form away, and a refusal brings it back as it was chosen; what was typed is gone. */
let chosen: { readonly kind: Kind; readonly keyName: string | undefined } = {
  kind: "password",
  keyName: undefined,
};

export function SignInStage(props: StageProps) {
  const { setup } = props;
  const { t } = useTranslation();
  const { server, isResuming, wishes } = setup;
  if (wishes.length > 0) return <WishesForm {...props} />;
  const name = server ? serverText(server) : "";
  return (
    <section>
      <h2 tabIndex={-1}>
        {isResuming ? t("setup.signIn.resumingTitle") : t("setup.signIn.title", { server: name })}
      </h2>
      {isResuming && <p className="lead">{t("setup.signIn.resumingText")}</p>}
      <p className="lead">{t("setup.signIn.text")}</p>
      <SignInForm {...props} />
    </section>
  );
}

function SignInForm({ setup: { ways, server, isBusy }, act }: StageProps) {
  const { t } = useTranslation();
  const [kind, setKind] = useState<Kind>(chosen.kind);
  const [keyName, setKeyName] = useState(chosen.keyName ?? ways.keys[0] ?? OTHER);
  const signIn = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    chosen = { kind, keyName };
    const form = event.currentTarget;
    const said = new FormData(form);
    const text = (name: string) => typed(said, name);
    if (kind === "agent") return act("setup.signIn", { kind });
    if (kind === "password") act("setup.signIn", { kind, password: text("password") });
    else if (keyName !== OTHER)
      act("setup.signIn", { kind, name: keyName, passphrase: text("passphrase") });
    else {
      const key = await base64Of(said.get("file"));
      act("setup.signIn", { kind: "key-file", key, passphrase: text("passphrase") });
    }
    clearTyped(form);
  };
  return (
    <form className="setup-form" onSubmit={(event) => void signIn(event)}>
      <Choice
        label={t("setup.signIn.way")}
        value={kind}
        options={kinds.map((value) => ({
          value,
          label: t(`setup.signIn.${value}`),
        }))}
        onChange={setKind}
      />
      {kind === "password" && (
        <SecretField
          key="password"
          name="password"
          label={t("setup.signIn.passwordOf", { user: server?.user ?? "" })}
          required
          disabled={isBusy}
        />
      )}
      {kind === "key" && (
        <>
          <KeyChoice ways={ways} value={keyName} onChange={setKeyName} />
          {keyName === OTHER && (
            <Field
              key="file"
              name="file"
              type="file"
              label={t("setup.signIn.chooseFile")}
              required
              disabled={isBusy}
            />
          )}
          <SecretField
            key="passphrase"
            name="passphrase"
            label={t("setup.signIn.passphrase")}
            hint={t("setup.signIn.passphraseHint")}
            disabled={isBusy}
          />
        </>
      )}
      {kind === "agent" && (
        <p className="field-hint">
          {t(ways.hasAgent ? "setup.signIn.agentText" : "setup.signIn.noAgent")}
        </p>
      )}
      <div className="form-actions">
        <Button
          type="submit"
          kind="primary"
          disabled={isBusy || (kind === "agent" && !ways.hasAgent)}
        >
          {isBusy && <Spinner />}
          {t(isBusy ? "setup.signIn.doing" : "setup.signIn.do")}
        </Button>
      </div>
    </form>
  );
}

function KeyChoice({
  ways,
  value,
  onChange,
}: {
  ways: Setup["ways"];
  value: string;
  onChange: (name: string) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t("setup.signIn.keyFile")}</label>
      <select
        id={id}
        className="field-input"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {ways.keys.map((name) => (
          <option key={name} value={name}>
            {`~/.ssh/${name}`}
          </option>
        ))}
        <option value={OTHER}>{t("setup.signIn.otherFile")}</option>
      </select>
    </div>
  );
}

async function base64Of(file: FormDataEntryValue | null): Promise<string> {
  if (!(file instanceof File) || file.size > MAX_KEY_BYTES) return "";
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = bytes.toBase64();
  bytes.fill(0);
  return text;
}

/** Not `reset`: that would choose another way than the one that was refused. */
function clearTyped(form: HTMLFormElement): void {
  for (const field of form.querySelectorAll<HTMLInputElement>("input[type=password]"))
    field.value = "";
}

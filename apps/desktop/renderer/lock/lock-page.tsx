/**
 * All there is while the console is locked: how it is opened again.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorView } from "../app/error-view.tsx";
import { useLock, useRequest } from "../app/queries.ts";
import { BrandMark } from "../app/brand-mark.tsx";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { PassphraseField } from "../design/passphrase-field.tsx";
import "../pairing/pairing.css";

export function LockPage() {
  const { t } = useTranslation();
  const { data } = useLock();
  const open = useRequest("lock.open");
  const [passphrase, setPassphrase] = useState("");
  const wantsPassphrase = data?.opensWith !== "keyring";
  const run = (event: { preventDefault: () => void }) => {
    event.preventDefault();
    // The page that opens is a new one: what was typed here is gone with this one.
    open.mutate(
      { passphrase: wantsPassphrase ? passphrase : null },
      { onSuccess: () => location.reload() },
    );
  };
  return (
    <main className="welcome">
      <form className="welcome-card" onSubmit={run}>
        <p className="welcome-brand">
          <BrandMark />
          {t("app.name")}
        </p>
        <h1>{t("lock.title")}</h1>
        <p className="lead">{t("lock.text")}</p>
        {wantsPassphrase ? (
          <PassphraseField
            label={t("lock.passphrase")}
            kind="lock"
            value={passphrase}
            onChange={setPassphrase}
          />
        ) : (
          <p className="field-hint">{t("lock.keyring")}</p>
        )}
        {open.error && <ErrorView thrown={open.error} />}
        <div className="confirm-actions">
          <Button
            type="submit"
            kind="primary"
            disabled={open.isPending || (wantsPassphrase && passphrase === "")}
          >
            {open.isPending && <Spinner />}
            {t("lock.open")}
          </Button>
        </div>
      </form>
    </main>
  );
}

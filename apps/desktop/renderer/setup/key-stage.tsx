/**
 * The server's key, for a person to compare. A key that changed ends it here.
 *
 * @module
 */
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Facts } from "../design/facts.tsx";
import { Banner, Spinner } from "../design/parts.tsx";
import { Field } from "./field.tsx";
import type { StageProps } from "./use-setup.ts";

/** What the contract admits. */
const MAX_PASTED_CHARS = 8_192;

export function KeyStage({ setup, act }: StageProps) {
  const { hostKey, error } = setup;
  if (error?.code === "ERR_HOST_KEY_CHANGED") return <ChangedKey setup={setup} act={act} />;
  return hostKey ? <Compare setup={setup} act={act} hostKey={hostKey} /> : <Asking />;
}

/** Between a key that was forgotten and the one that the server shows now. */
function Asking() {
  const { t } = useTranslation();
  return (
    <p className="setup-finding" role="status">
      <Spinner /> {t("setup.host.looking")}
    </p>
  );
}

function Compare({
  setup: { isBusy },
  act,
  hostKey,
}: StageProps & { hostKey: NonNullable<StageProps["setup"]["hostKey"]> }) {
  const { t } = useTranslation();
  const [pasted, setPasted] = useState("");
  const compare = (event: SubmitEvent) => {
    event.preventDefault();
    act("setup.confirmKey", { pasted });
  };
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.key.title")}</h2>
      <p className="lead">{t("setup.key.text")}</p>
      <Facts
        facts={[
          [
            t("setup.key.algorithm"),
            <span key="algorithm" className="code">
              {hostKey.algorithm}
            </span>,
          ],
          [
            t("setup.key.fingerprint"),
            <span key="sha256" className="setup-fingerprint">
              <span className="code">{hostKey.sha256}</span>
              <CopyButton text={hostKey.sha256} label={t("setup.key.copy")} />
            </span>,
          ],
        ]}
      />
      <div className="setup-where">
        <h3>{t("setup.key.where")}</h3>
        <p>{t("setup.key.whereConsole")}</p>
        <p className="code">{t("setup.key.whereCommand")}</p>
        <ul>
          <li>{t("setup.key.whereHetzner")}</li>
          <li>{t("setup.key.whereDigitalOcean")}</li>
          <li>{t("setup.key.whereAws")}</li>
        </ul>
      </div>
      {hostKey.mustPaste && (
        <Banner tone="caution" shape="box">
          <p>{t("setup.key.mustPaste")}</p>
        </Banner>
      )}
      <form className="setup-form" onSubmit={compare}>
        <Field
          className="field-input code"
          label={t("setup.key.pasted")}
          hint={t("setup.key.pastedHint")}
          value={pasted}
          maxLength={MAX_PASTED_CHARS}
          onChange={(event) => setPasted(event.target.value)}
        />
        <div className="form-actions">
          <Button type="submit" kind="primary" disabled={isBusy || pasted.trim() === ""}>
            {t("setup.key.compare")}
          </Button>
          {!hostKey.mustPaste && (
            <Button disabled={isBusy} onClick={() => act("setup.confirmKey", { pasted: "" })}>
              {t("setup.key.byEye")}
            </Button>
          )}
        </div>
      </form>
    </section>
  );
}

/** No way on, but for who installed the server anew; and that begins with comparing again. */
function ChangedKey({ setup: { hostKey, isBusy }, act }: StageProps) {
  const { t } = useTranslation();
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.key.changedTitle")}</h2>
      <p className="lead">{t("setup.key.changedText")}</p>
      <div className="form-actions">
        <Button kind="primary" onClick={() => act("setup.leave", {})}>
          {t("setup.beginAgain")}
        </Button>
        {hostKey?.isConfirmed && (
          <Button kind="danger" disabled={isBusy} onClick={() => act("setup.forgetKey", {})}>
            {t("setup.key.installedAnew")}
          </Button>
        )}
      </div>
    </section>
  );
}

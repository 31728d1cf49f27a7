/**
 * Which server: one line, as people write it to `ssh`.
 *
 * @module
 */
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { Field } from "./field.tsx";
import { serverText, type StageProps } from "./use-setup.ts";

/** What the contract admits. */
const MAX_ADDRESS_CHARS = 300;

export function HostStage({ setup: { server, isBusy }, act }: StageProps) {
  const { t } = useTranslation();
  const [address, setAddress] = useState(server ? serverText(server) : "");
  const begin = (event: SubmitEvent) => {
    event.preventDefault();
    act("setup.begin", { address: address.trim() });
  };
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.host.title")}</h2>
      <p className="lead">{t("setup.host.text")}</p>
      <form className="setup-form" onSubmit={begin}>
        <Field
          label={t("setup.host.address")}
          hint={t("setup.host.addressHint")}
          value={address}
          maxLength={MAX_ADDRESS_CHARS}
          autoCapitalize="none"
          disabled={isBusy}
          onChange={(event) => setAddress(event.target.value)}
        />
        <div className="form-actions">
          <Button type="submit" kind="primary" disabled={isBusy || address.trim() === ""}>
            {isBusy && <Spinner />}
            {t(isBusy ? "setup.host.looking" : "setup.host.look")}
          </Button>
        </div>
      </form>
    </section>
  );
}

/**
 * The lock in the settings: what opens it, after how long it locks, and now.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { LockView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useLock, useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Banner } from "../design/parts.tsx";
import { PassphraseField } from "../design/passphrase-field.tsx";

/** In minutes; a person who wants another number locks by hand. */
const idleChoices = { never: null, five: 5, fifteen: 15, hour: 60 } as const;
const choices = Object.keys(idleChoices) as (keyof typeof idleChoices)[];

export function LockSettings() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data } = useLock();
  const now = useRequest("lock.now");
  const setIdle = useRequest("lock.setIdle");
  if (!data) return undefined;
  const keep = (lock: LockView) => client.setQueryData(keys.lock, lock);
  const isUnopened = data.opensWith === "unopened";
  const isPointless = isUnopened || data.opensWith === "nothing";
  const idle = choices.find((one) => idleChoices[one] === data.idleMinutes) ?? "never";
  return (
    <section>
      <h2>{t("lock.settings")}</h2>
      <p className="lead">{t("lock.meaning")}</p>
      <Banner tone={isPointless ? "caution" : "plain"} shape="box">
        <p>{t(`lock.opensWith.${data.opensWith}`)}</p>
      </Banner>
      {!isPointless && (
        <>
          <p className="field-hint">{t("lock.idle")}</p>
          <Choice
            label={t("lock.idle")}
            value={idle}
            options={choices.map((value) => ({ value, label: t(`lock.after.${value}`) }))}
            onChange={(value) =>
              setIdle.mutate({ minutes: idleChoices[value] }, { onSuccess: keep })
            }
          />
          <div className="form-actions">
            <Button disabled={now.isPending} onClick={() => now.mutate({})}>
              {t("lock.now")}
            </Button>
          </div>
        </>
      )}
      {(now.error ?? setIdle.error) && <ErrorView thrown={now.error ?? setIdle.error} />}
      {!isUnopened && <SetPassphrase hasOne={data.opensWith === "passphrase"} onSet={keep} />}
    </section>
  );
}

function SetPassphrase(props: {
  readonly hasOne: boolean;
  readonly onSet: (lock: LockView) => void;
}) {
  const { hasOne, onSet } = props;
  const { t } = useTranslation();
  const set = useRequest("lock.setPassphrase");
  const [passphrase, setPassphrase] = useState("");
  const [current, setCurrent] = useState("");
  return (
    <div className="kit-form">
      {hasOne && (
        <PassphraseField
          label={t("lock.currentPassphrase")}
          kind="lock"
          value={current}
          onChange={setCurrent}
        />
      )}
      <PassphraseField
        label={t("lock.newPassphrase")}
        kind="new"
        value={passphrase}
        onChange={setPassphrase}
        hint={t("lock.passphraseHint")}
      />
      {set.error && <ErrorView thrown={set.error} />}
      <p role="status" className="demo-step">
        {set.isSuccess && t("lock.passphraseSet")}
      </p>
      <div className="form-actions">
        <Button
          disabled={passphrase === "" || (hasOne && current === "") || set.isPending}
          onClick={() =>
            set.mutate(
              { passphrase, current: hasOne ? current : null },
              {
                onSuccess: (lock) => {
                  setPassphrase("");
                  setCurrent("");
                  onSet(lock);
                },
              },
            )
          }
        >
          {t("lock.setPassphrase")}
        </Button>
      </div>
    </div>
  );
}

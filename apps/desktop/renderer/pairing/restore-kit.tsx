/**
 * A new machine in the place of a lost one: the kit is opened, the lost devices are named, one list is signed.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useQueryClient } from "@tanstack/react-query";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { KitField, readKit } from "../devices/kit-field.tsx";
import { NameField } from "../devices/name-field.tsx";
import "../devices/devices.css";

export function RestoreKit({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const open = useRequest("recovery.open");
  const restore = useRequest("recovery.restore");
  const leave = useRequest("pairing.leave");
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const [name, setName] = useState("");
  const [lost, setLost] = useState<readonly string[]>([]);
  const give = () => {
    leave.mutate({});
    onClose();
  };
  const onOpen = async () => {
    if (file) open.mutate({ kit: await readKit(file), passphrase });
  };
  const onRestore = async () => {
    const node = await restore
      .mutateAsync({ name: name.trim(), lost: [...lost] })
      .catch(() => undefined);
    if (!node) return;
    await client.invalidateQueries({ queryKey: keys.state });
    goTo({ page: "devices" });
  };
  if (!open.data)
    return (
      <>
        <h1>{t("restore.title")}</h1>
        <p className="lead">{t("restore.text")}</p>
        <KitField {...{ setFile, passphrase, setPassphrase }} />
        {open.error && <ErrorView thrown={open.error} />}
        <div className="confirm-actions">
          <Button
            kind="primary"
            disabled={!file || passphrase === "" || open.isPending}
            onClick={() => void onOpen()}
          >
            {t("restore.open")}
          </Button>
          <Button onClick={give}>{t("design.cancel")}</Button>
        </div>
      </>
    );
  return (
    <>
      <h1>{t("restore.lostTitle", { name: open.data.nodeName })}</h1>
      <p className="lead">{t("restore.lostText")}</p>
      <fieldset className="lost">
        <legend>{t("restore.lost")}</legend>
        {open.data.devices.map((device) => (
          <label key={device.id} className="lost-device">
            <input
              type="checkbox"
              checked={lost.includes(device.id)}
              onChange={(event) =>
                setLost((before) =>
                  event.target.checked
                    ? [...before, device.id]
                    : before.filter((one) => one !== device.id),
                )
              }
            />
            {device.name}
          </label>
        ))}
      </fieldset>
      <NameField label={t("join.name")} name={name} setName={setName} />
      {restore.error && <ErrorView thrown={restore.error} />}
      <div className="confirm-actions">
        <Button
          kind="primary"
          disabled={name.trim() === "" || restore.isPending}
          onClick={() => void onRestore()}
        >
          {t("restore.sign", { count: lost.length })}
        </Button>
        <Button onClick={give}>{t("design.cancel")}</Button>
      </div>
    </>
  );
}

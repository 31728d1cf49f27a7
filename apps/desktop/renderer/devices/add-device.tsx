/**
 * An admin takes a new device in: its invitation, the new device's code, six words, a signature.
 *
 * @module
 */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DevicesView, DeviceView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Skeleton } from "../design/parts.tsx";
import { RoleChoice } from "./device-dialogs.tsx";
import { NameField } from "./name-field.tsx";
import { CodeView } from "./qr-view.tsx";
import { Words } from "./six-words.tsx";

interface Props {
  readonly node: string;
  readonly onAdded: (list: DevicesView) => void;
  readonly onClose: () => void;
}

export function AddDevice({ node, onAdded, onClose }: Props) {
  const { t } = useTranslation();
  const { mutate: invite, ...invitation } = useRequest("devices.invite");
  const look = useRequest("devices.look");
  const refuse = useRequest("devices.refuse");
  const [code, setCode] = useState("");
  useEffect(() => invite({ node }), [invite, node]);
  const leave = () => {
    refuse.mutate({ node });
    onClose();
  };
  return (
    <section aria-label={t("devices.add.title")}>
      <h2>{t("devices.add.title")}</h2>
      {invitation.error && <ErrorView thrown={invitation.error} onRetry={() => invite({ node })} />}
      {invitation.isPending && <Skeleton lines={5} label={t("devices.loading")} />}
      {invitation.data && !look.data && (
        <>
          <p className="lead">{t("devices.add.first")}</p>
          <CodeView code={invitation.data} label={t("devices.add.invitation")} />
          <label className="field" htmlFor="device-code">
            {t("devices.add.second")}
          </label>
          <textarea
            id="device-code"
            className="field-input code"
            rows={3}
            value={code}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setCode(event.target.value)}
          />
          {look.error && <ErrorView thrown={look.error} />}
          <div className="form-actions">
            <Button
              kind="primary"
              disabled={code.trim() === "" || look.isPending}
              onClick={() => look.mutate({ node, code: code.trim() })}
            >
              {t("devices.add.look")}
            </Button>
            <Button onClick={leave}>{t("design.cancel")}</Button>
          </div>
        </>
      )}
      {look.data && <CompareAndSign asked={look.data} {...{ node, onAdded }} onRefused={leave} />}
    </section>
  );
}

interface SignProps {
  readonly node: string;
  readonly asked: { readonly name: string; readonly words: readonly string[] };
  readonly onAdded: (list: DevicesView) => void;
  readonly onRefused: () => void;
}

function CompareAndSign({ node, asked, onAdded, onRefused }: SignProps) {
  const { t } = useTranslation();
  const add = useRequest("devices.add");
  const [name, setName] = useState(asked.name);
  const [role, setRole] = useState<DeviceView["role"]>("chat");
  return (
    <>
      <p className="lead">{t("devices.add.compare")}</p>
      <Words words={asked.words} label={t("devices.sixWords")} />
      <NameField label={t("devices.name")} name={name} setName={setName} />
      <p className="field-hint">{t("devices.roleText")}</p>
      <RoleChoice role={role} onChange={setRole} />
      {add.error && <ErrorView thrown={add.error} />}
      <div className="form-actions">
        <Button
          kind="primary"
          disabled={name.trim() === "" || add.isPending}
          onClick={() => add.mutate({ node, name: name.trim(), role }, { onSuccess: onAdded })}
        >
          {t("devices.add.same")}
        </Button>
        <Button kind="danger" onClick={onRefused}>
          {t("devices.add.differ")}
        </Button>
      </div>
    </>
  );
}

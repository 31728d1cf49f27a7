/**
 * What an admin changes about a device, each asked once more; and the safety number that anybody compares.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useQuery } from "@tanstack/react-query";
import type { DevicesView, DeviceView } from "../../ipc/contract.ts";
import { ask } from "../app/bridge.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Skeleton } from "../design/parts.tsx";
import { NameField } from "./name-field.tsx";
import { Words } from "./six-words.tsx";

interface Props {
  readonly node: string;
  readonly device: DeviceView;
  readonly onChanged: (list: DevicesView) => void;
  readonly onClose: () => void;
}

export function RenameDialog({ node, device, onChanged, onClose }: Props) {
  const { t } = useTranslation();
  const rename = useRequest("devices.rename");
  const [name, setName] = useState(device.name);
  const save = () =>
    rename.mutate({ node, device: device.id, name: name.trim() }, { onSuccess: onChanged });
  return (
    <Dialog
      title={t("devices.rename.title", { name: device.name })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="primary" disabled={name.trim() === "" || rename.isPending} onClick={save}>
            {t("design.save")}
          </Button>
        </>
      }
    >
      <NameField label={t("devices.name")} name={name} setName={setName} />
      {rename.error && <ErrorView thrown={rename.error} />}
    </Dialog>
  );
}

export function RoleDialog({ node, device, onChanged, onClose }: Props) {
  const { t } = useTranslation();
  const set = useRequest("devices.setRole");
  const [role, setRole] = useState(device.role);
  const save = () => set.mutate({ node, device: device.id, role }, { onSuccess: onChanged });
  return (
    <Dialog
      title={t("devices.roleOf", { name: device.name })}
      description={t("devices.roleText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="primary" disabled={role === device.role || set.isPending} onClick={save}>
            {t("design.save")}
          </Button>
        </>
      }
    >
      <RoleChoice role={role} onChange={setRole} />
      {set.error && <ErrorView thrown={set.error} />}
    </Dialog>
  );
}

export function RoleChoice(props: {
  readonly role: DeviceView["role"];
  readonly onChange: (role: DeviceView["role"]) => void;
}) {
  const { t } = useTranslation();
  return (
    <Choice
      label={t("devices.roleLabel")}
      value={props.role}
      options={(["chat", "admin"] as const).map((value) => ({
        value,
        label: t(`devices.role.${value}`),
      }))}
      onChange={props.onChange}
    />
  );
}

export function RevokeDialog({ node, device, onChanged, onClose }: Props) {
  const { t } = useTranslation();
  const revoke = useRequest("devices.revoke");
  return (
    <Dialog
      title={t("devices.revoke.title", { name: device.name })}
      description={t(device.isThis ? "devices.revoke.thisText" : "devices.revoke.text")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button
            kind="danger"
            disabled={revoke.isPending}
            onClick={() => revoke.mutate({ node, device: device.id }, { onSuccess: onChanged })}
          >
            {t("devices.do.revoke")}
          </Button>
        </>
      }
    >
      {revoke.error && <ErrorView thrown={revoke.error} />}
    </Dialog>
  );
}

export function CompareDialog({ node, device, onClose }: Props) {
  const { t } = useTranslation();
  const { data, error } = useQuery({
    queryKey: ["devices.compare", node, device.id],
    queryFn: () => ask("devices.compare", { node, device: device.id }),
    staleTime: 0,
  });
  return (
    <Dialog
      title={t("devices.compare.title", { name: device.name })}
      description={t("devices.compare.text")}
      onClose={onClose}
      actions={<Button onClick={onClose}>{t("design.close")}</Button>}
    >
      {error && <ErrorView thrown={error} />}
      {!data && !error && <Skeleton lines={3} label={t("devices.loading")} />}
      {data && (
        <>
          <Words words={data.words} label={t("devices.compare.words")} />
          <p className="number device-digits">{data.digits}</p>
        </>
      )}
    </Dialog>
  );
}

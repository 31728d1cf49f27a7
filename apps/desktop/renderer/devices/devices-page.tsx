/**
 * Who may use the node: each device with its role, and what an admin can change about it.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DevicesView, DeviceView, NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { keys, useDevices } from "../app/queries.ts";
import { formatHour, formatTime } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Menu } from "../design/menu.tsx";
import { Dot, Skeleton, Tag } from "../design/parts.tsx";
import { AdminNote, adminOnly } from "../models/admin.tsx";
import { AddDevice } from "./add-device.tsx";
import { CompareDialog, RenameDialog, RevokeDialog, RoleDialog } from "./device-dialogs.tsx";
import { RecoverySection } from "./recovery-section.tsx";
import "../pairing/pairing.css";
import "./devices.css";

type Doing = {
  readonly what: "rename" | "role" | "revoke" | "compare";
  readonly device: DeviceView;
};

export function DevicesPage({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, isFetching, refetch } = useDevices(node);
  const [doing, setDoing] = useState<Doing>();
  const [isAdding, setIsAdding] = useState(false);
  const changed = (list: DevicesView) => {
    client.setQueryData(keys.devices(node.id), list);
    setDoing(undefined);
  };
  const dialog = doing && { node: node.id, device: doing.device, onChanged: changed };
  const close = () => setDoing(undefined);
  return (
    <PageFrame
      title={t("devices.title")}
      actions={
        <Button disabled={isFetching} onClick={() => void refetch()}>
          {t("node.refresh")}
        </Button>
      }
    >
      <PageBody>
        <p className="lead">{t("devices.meaning")}</p>
        <AdminNote node={node} />
        {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {!error && !data && <Skeleton lines={4} label={t("devices.loading")} />}
        {data && (
          <section>
            <h2>{t("devices.listTitle", { version: data.version })}</h2>
            <ul className="devices">
              {data.devices.map((device) => (
                <DeviceRow
                  key={device.id}
                  device={device}
                  isAdmin={node.role === "admin"}
                  onDo={(what) => setDoing({ what, device })}
                />
              ))}
            </ul>
            {!isAdding && (
              <div className="form-actions">
                <Button kind="primary" {...adminOnly(node)} onClick={() => setIsAdding(true)}>
                  {t("devices.add.begin")}
                </Button>
              </div>
            )}
          </section>
        )}
        {isAdding && (
          <AddDevice
            node={node.id}
            onAdded={(list) => {
              changed(list);
              setIsAdding(false);
            }}
            onClose={() => setIsAdding(false)}
          />
        )}
        {data && <RecoverySection node={node} onMade={() => void refetch()} />}
      </PageBody>
      {dialog && doing.what === "rename" && <RenameDialog {...dialog} onClose={close} />}
      {dialog && doing.what === "role" && <RoleDialog {...dialog} onClose={close} />}
      {dialog && doing.what === "revoke" && <RevokeDialog {...dialog} onClose={close} />}
      {dialog && doing.what === "compare" && <CompareDialog {...dialog} onClose={close} />}
    </PageFrame>
  );
}

interface RowProps {
  readonly device: DeviceView;
  readonly isAdmin: boolean;
  readonly onDo: (what: Doing["what"]) => void;
}

function DeviceRow({ device, isAdmin, onDo }: RowProps) {
  const { t, i18n } = useTranslation();
  const { name, role, revokedAt, isThis, isKit, seenHour, addedAt, fingerprint } = device;
  const isRevoked = revokedAt !== null;
  const time = (at: number) => formatTime(at, i18n.language);
  const change = isAdmin
    ? [
        ...(isKit
          ? []
          : ([
              { what: "rename", icon: "edit" },
              { what: "role", icon: "redo" },
            ] as const)),
        { what: "revoke", icon: "trash", isDanger: true } as const,
      ]
    : [];
  const items = [
    ...(isThis || isKit ? [] : [{ what: "compare", icon: "check" } as const]),
    ...change,
  ].map(({ what, ...rest }) => ({
    ...rest,
    label: t(`devices.do.${what}`),
    onSelect: () => onDo(what),
  }));
  return (
    <li className="device" data-revoked={isRevoked || undefined}>
      <div className="device-text">
        <p className="device-name">
          <Dot tone={isRevoked ? "danger" : "good"} />
          <strong className="ellipsis">{name}</strong>
          <Tag>{t(`devices.role.${role}`)}</Tag>
          {isThis && <Tag>{t("devices.isThis")}</Tag>}
          {isKit && <Tag>{t("devices.isKit")}</Tag>}
          {isRevoked && <Tag tone="danger">{t("devices.revoked")}</Tag>}
        </p>
        <p className="field-hint">
          {t("devices.addedAt", { time: time(addedAt) })}
          {isRevoked && ` · ${t("devices.revokedAt", { time: time(revokedAt) })}`}
          {!isRevoked && isAdmin && !isKit && ` · ${seenText(seenHour)}`}
        </p>
        <p className="field-hint number device-digits">{fingerprint}</p>
      </div>
      {!isRevoked && items.length > 0 && <Menu label={t("devices.menu", { name })} items={items} />}
    </li>
  );

  function seenText(hour: number | null): string {
    return hour === null
      ? t("devices.notSeen")
      : t("devices.seen", { time: formatHour(hour, i18n.language) });
  }
}

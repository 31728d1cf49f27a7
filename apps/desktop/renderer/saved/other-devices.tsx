/**
 * Sharing what is saved with another device of the same person, or having what that one saved.
 *
 * The node lists the devices; who reads everything that is saved is not taken from its word, but compared by a person.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { SavedDevice } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { useRequest, useSavedDevices } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useToast } from "../design/toasts.tsx";
import { FingerprintView } from "../pairing/fingerprint-view.tsx";

interface Asked {
  readonly what: "admit" | "join";
  readonly device: SavedDevice;
}

/** @param hasVault whether this device's are kept at the node already */
export function OtherDevices({ node, hasVault }: { node: string; hasVault: boolean }) {
  const { t } = useTranslation();
  const { data } = useSavedDevices(node);
  const [asked, setAsked] = useState<Asked>();
  if (!data || data.devices.length === 0) return undefined;
  return (
    <section>
      <h2>{t("saved.devices")}</h2>
      <p>{t("saved.devicesText")}</p>
      <ul className="saved-list">
        {data.devices.map((device) => (
          <li key={device.key} className="saved-row">
            {hasVault && (
              <Button size="small" onClick={() => setAsked({ what: "admit", device })}>
                {t("saved.admit", { name: device.name })}
              </Button>
            )}
            <Button size="small" onClick={() => setAsked({ what: "join", device })}>
              {t("saved.join", { name: device.name })}
            </Button>
          </li>
        ))}
      </ul>
      <details>
        <summary>{t("saved.own")}</summary>
        <FingerprintView fingerprint={data.own} />
      </details>
      {asked && <Compare node={node} asked={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

function Compare({ node, asked, onClose }: { node: string; asked: Asked; onClose: () => void }) {
  const { t } = useTranslation();
  const tell = useToast();
  const admit = useRequest("saved.admit");
  const join = useRequest("saved.join");
  const { what, device } = asked;
  const { name, key } = device;
  const run = async () => {
    try {
      const input = { node, device: key };
      await (what === "admit" ? admit.mutateAsync(input) : join.mutateAsync(input));
      tell(t(what === "admit" ? "saved.admitted" : "saved.joined", { name }));
    } catch (error) {
      tell(t("errors.shown", { ...consoleErrorOf(error) }));
    }
    onClose();
  };
  return (
    <Dialog
      title={t("saved.compare", { name })}
      description={t("saved.compareText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button
            kind="primary"
            disabled={admit.isPending || join.isPending}
            onClick={() => void run()}
          >
            {t("saved.same")}
          </Button>
        </>
      }
    >
      <FingerprintView fingerprint={device.fingerprint} />
    </Dialog>
  );
}

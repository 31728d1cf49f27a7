/**
 * Sharing what is saved with another device of the same person, or having what that one saved.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { consoleErrorOf } from "../app/bridge.ts";
import { useRequest, useSavedDevices } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { useToast } from "../design/toasts.tsx";

/** @param hasVault whether this device's are kept at the node already */
export function OtherDevices({ node, hasVault }: { node: string; hasVault: boolean }) {
  const { t } = useTranslation();
  const tell = useToast();
  const { data } = useSavedDevices(node);
  const admit = useRequest("saved.admit");
  const join = useRequest("saved.join");
  if (!data || data.length === 0) return undefined;
  const onError = (error: unknown) => tell(t("errors.shown", { ...consoleErrorOf(error) }));
  return (
    <section>
      <h2>{t("saved.devices")}</h2>
      <p>{t("saved.devicesText")}</p>
      <ul className="saved-list">
        {data.map(({ key, name }) => (
          <li key={key} className="saved-row">
            {hasVault && (
              <Button
                size="small"
                disabled={admit.isPending}
                onClick={() =>
                  admit.mutate(
                    { node, device: key },
                    { onSuccess: () => tell(t("saved.admitted", { name })), onError },
                  )
                }
              >
                {t("saved.admit", { name })}
              </Button>
            )}
            <Button
              size="small"
              disabled={join.isPending}
              onClick={() =>
                join.mutate(
                  { node, device: key },
                  { onSuccess: () => tell(t("saved.joined", { name })), onError },
                )
              }
            >
              {t("saved.join", { name })}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/**
 * Settings, and where this console keeps its key.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { ConsoleState, Settings } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { keys, useLoadedState, useRequest } from "../app/queries.ts";
import { Choice } from "../design/choice.tsx";
import { Facts } from "../design/facts.tsx";
import { Banner } from "../design/parts.tsx";
import { LockSettings } from "../lock/lock-settings.tsx";
import { useToast } from "../design/toasts.tsx";

export function SettingsPage() {
  const { t } = useTranslation();
  const { settings, keyStore, version, shell } = useLoadedState();
  const change = useChange();
  return (
    <PageFrame title={t("settings.title")}>
      <PageBody>
        <section>
          <h2>{t("settings.appearance")}</h2>
          <Choice
            label={t("settings.appearance")}
            value={settings.theme}
            options={(["system", "light", "dark"] as const).map((theme) => ({
              value: theme,
              label: t(`settings.theme.${theme}`),
            }))}
            onChange={(theme) => change({ theme })}
          />
        </section>
        <section>
          <h2>{t("settings.key")}</h2>
          <Facts
            facts={[
              [
                t("settings.keyBackend"),
                <span key="backend" className="code">
                  {keyStore.backend}
                </span>,
              ],
              [
                t("settings.keyProtection"),
                t(keyStore.isProtected ? "settings.keyProtected" : "settings.keyNotProtected"),
              ],
            ]}
          />
          {keyStore.note && (
            <Banner tone="caution" shape="box">
              <p>{t(`keyStore.${keyStore.note}`)}</p>
            </Banner>
          )}
        </section>
        <LockSettings />
        <section>
          <h2>{t("settings.keyboard")}</h2>
          <Facts
            facts={[
              [t("settings.keys.send"), <kbd key="send">{t("settings.keys.sendKey")}</kbd>],
              [t("settings.keys.line"), <kbd key="line">{t("settings.keys.lineKey")}</kbd>],
              [t("settings.keys.skip"), <kbd key="skip">{t("settings.keys.skipKey")}</kbd>],
            ]}
          />
        </section>
        <section>
          <h2>{t("settings.about")}</h2>
          <Facts
            facts={[
              [t("settings.version"), version],
              [t("settings.shell"), t(`settings.shellName.${shell}`)],
            ]}
          />
        </section>
      </PageBody>
    </PageFrame>
  );
}

function useChange() {
  const client = useQueryClient();
  const set = useRequest("settings.set");
  const tell = useToast();
  const { t } = useTranslation();
  return (change: Partial<Settings>) =>
    set.mutate(change, {
      onSuccess: (settings) =>
        client.setQueryData<ConsoleState>(keys.state, (state) => state && { ...state, settings }),
      onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
    });
}

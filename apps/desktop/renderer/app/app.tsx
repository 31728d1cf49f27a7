/**
 * The frame around every page, and which page is shown.
 *
 * @module
 */
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ConversationPage } from "../chat/conversation-page.tsx";
import { Skeleton } from "../design/parts.tsx";
import { DevicesPage } from "../devices/devices-page.tsx";
import { EgressPage } from "../egress/egress-page.tsx";
import { HealthPage } from "../health/health-page.tsx";
import { LockPage } from "../lock/lock-page.tsx";
import { AskToOpen } from "../markdown/references.tsx";
import { ModelsPage } from "../models/models-page.tsx";
import { NodePage } from "../node/node-page.tsx";
import { WelcomePage } from "../pairing/welcome-page.tsx";
import { ReceiptsPage } from "../receipts/receipts-page.tsx";
import { SavedPage } from "../saved/saved-page.tsx";
import { SettingsPage } from "../settings/settings-page.tsx";
import { SetupPage } from "../setup/setup-page.tsx";
import { UpdatesPage } from "../updates/updates-page.tsx";
import { WindowBanner } from "../window/window-banner.tsx";
import { consoleErrorOf } from "./bridge.ts";
import { ErrorView } from "./error-view.tsx";
import { HomePage } from "./home-page.tsx";
import { OpenLinkDialog } from "./open-link-dialog.tsx";
import { usableNode, useConsoleState, useLoadedState } from "./queries.ts";
import { useRoute } from "./routes.ts";
import { BrandMark } from "./brand-mark.tsx";
import { Sidebar } from "./sidebar.tsx";
import { StateBanners } from "./state-banners.tsx";

export function App() {
  const { t } = useTranslation();
  const { data, error, refetch } = useConsoleState();
  const theme = data?.settings.theme ?? "system";
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [theme]);

  if (data) return <Shell />;
  if (error && consoleErrorOf(error).code === "ERR_LOCKED") return <LockPage />;
  return (
    <main className="page page-alone">
      <h1 className="welcome-brand">
        <BrandMark />
        {t("app.name")}
      </h1>
      {error ? (
        <ErrorView thrown={error} onRetry={() => void refetch()} />
      ) : (
        <Skeleton lines={4} label={t("app.loading")} />
      )}
    </main>
  );
}

function Shell() {
  const { t } = useTranslation();
  const [address, setAddress] = useState<URL>();
  const close = useCallback(() => setAddress(undefined), []);
  const hasNode = useLoadedState().nodes.some((node) => node.isConfirmed);
  return (
    <AskToOpen value={setAddress}>
      <a className="skip-link" href="#main" onClick={skipToMain}>
        {t("app.skip")}
      </a>
      <div className="shell">
        {hasNode && <Sidebar />}
        <main id="main" className="main" tabIndex={-1}>
          <StateBanners />
          <WindowBanner />
          <Page />
        </main>
      </div>
      {address && <OpenLinkDialog address={address} onClose={close} />}
    </AskToOpen>
  );
}

/** The fragment is the page's route, so the link only moves the focus. */
function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  const target =
    document.querySelector<HTMLElement>(".composer textarea") ?? document.querySelector("main");
  target?.focus();
}

function Page() {
  const route = useRoute();
  const node = usableNode(useLoadedState());
  if (route.page === "settings") return <SettingsPage />;
  if (route.page === "setup") return <SetupPage />;
  if (!node) return <WelcomePage />;
  switch (route.page) {
    case "chat":
      return <ConversationPage id={route.conversation} />;
    case "saved":
      return <SavedPage key={node.id} node={node} />;
    case "node":
      return <NodePage node={node} />;
    case "models":
      return <ModelsPage key={node.id} node={node} />;
    case "egress":
      return <EgressPage key={node.id} node={node} />;
    case "health":
      return <HealthPage node={node} />;
    case "devices":
      return <DevicesPage key={node.id} node={node} />;
    case "updates":
      return <UpdatesPage key={node.id} node={node} />;
    case "receipts":
      return <ReceiptsPage key={node.id} node={node} />;
    case "new":
    case "home":
      return <HomePage key={route.page} node={node} isNew={route.page === "new"} />;
  }
}

/**
 * On every page while a window is open: what can be reached, until when, and an end to it.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, NodeWindow } from "../../ipc/contract.ts";
import { keys, usableNode, useLoadedState } from "../app/queries.ts";
import { addressOf } from "../app/routes.ts";
import { formatCountdown } from "../chat/format.ts";
import { useNow } from "../chat/use-now.ts";
import { Button } from "../design/button.tsx";
import { Banner } from "../design/parts.tsx";
import { fileName, hostsOf, useCloseWindow, useWindow } from "./use-window.ts";
import "./window.css";

export function WindowBanner() {
  const node = usableNode(useLoadedState());
  const { data } = useWindow(node);
  useNewModels(node?.id, data);
  if (!node || !data?.open) return undefined;
  return <OpenBanner node={node} open={data.open} />;
}

/** What came in through a window is a model of the node from then on. */
function useNewModels(node: string | undefined, window: NodeWindow | undefined): void {
  const client = useQueryClient();
  const stored = window?.transfers.filter(({ state }) => state === "stored").length ?? 0;
  useEffect(() => {
    if (node && stored > 0) void client.invalidateQueries({ queryKey: keys.status(node) });
  }, [client, node, stored]);
}

function OpenBanner({ node, open }: { node: NodeView; open: NonNullable<NodeWindow["open"]> }) {
  const { t, i18n } = useTranslation();
  const { closeNow, isClosing } = useCloseWindow(node.id);
  const time = new Date(open.notAfter).toLocaleTimeString(i18n.language, { timeStyle: "short" });
  const hosts = hostsOf(open).join(", ");
  const files = open.files.map(({ name }) => fileName(name)).join(", ");
  return (
    <section aria-label={t("models.window.title")}>
      <Banner
        tone="caution"
        action={
          <span className="window-actions">
            <a className="button" data-size="small" href={addressOf({ page: "models" })}>
              {t("models.window.watch")}
            </a>
            <Button
              size="small"
              disabled={isClosing || node.role === "chat"}
              title={node.role === "chat" ? t("models.adminOnly") : undefined}
              onClick={closeNow}
            >
              {t("models.window.closeNow")}
            </Button>
          </span>
        }
      >
        <p>
          <strong>{t("models.window.openUntil", { time })}</strong> <Left until={open.notAfter} />
        </p>
        <p className="window-reach">{t("models.window.reach", { hosts, files })}</p>
      </Banner>
    </section>
  );
}

/** A part of its own: only it is drawn again each second. */
export function Left({ until }: { until: number }) {
  const { t } = useTranslation();
  const left = formatCountdown(until - useNow());
  return <span className="number">{t("models.window.left", { left })}</span>;
}

/**
 * The open window in full, with its end; or that none is open.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeView, NodeWindow } from "../../ipc/contract.ts";
import { formatBytes, formatTime, shortHex } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Facts } from "../design/facts.tsx";
import { fileName, useCloseWindow } from "../window/use-window.ts";
import { Left } from "../window/window-banner.tsx";
import { adminOnly } from "./admin.tsx";
import { Endpoints } from "./endpoints.tsx";

export function WindowView({ node, window: { open } }: { node: NodeView; window: NodeWindow }) {
  const { t, i18n } = useTranslation();
  const { closeNow, isClosing } = useCloseWindow(node.id);
  if (node.policy === "none") return undefined;
  if (!open)
    return (
      <section>
        <h2>{t("models.window.noneTitle")}</h2>
        <p className="lead">{t("models.window.noneText")}</p>
      </section>
    );
  return (
    <section>
      <div className="section-head">
        <h2>{t("models.window.title")}</h2>
        <Button size="small" {...adminOnly(node, isClosing)} onClick={closeNow}>
          {t("models.window.closeNow")}
        </Button>
      </div>
      <Facts
        facts={[
          [
            t("models.window.until"),
            <span key="until">
              {formatTime(open.notAfter, i18n.language)} · <Left until={open.notAfter} />
            </span>,
          ],
          [t("models.window.counter"), open.counter],
          [
            t("models.window.files"),
            <ul key="files">
              {open.files.map(({ name, digest, bytes }) => (
                <li key={digest}>
                  {fileName(name)} · {formatBytes(bytes)} ·{" "}
                  <span className="code">{shortHex(digest)}</span>
                </li>
              ))}
            </ul>,
          ],
          [t("models.window.hosts"), <Endpoints key="hosts" endpoints={open.endpoints} />],
        ]}
      />
    </section>
  );
}

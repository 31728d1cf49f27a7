/**
 * The node of this console was stopped: one button starts it again.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { DemoStart } from "../pairing/demo-start.tsx";
import { PageBody, PageFrame } from "./page-frame.tsx";

export function NoNodePage() {
  const { t } = useTranslation();
  return (
    <PageFrame title={t("node.stoppedTitle")}>
      <PageBody>
        <p className="lead">{t("node.stoppedText")}</p>
        <DemoStart label={t("node.startAgain")} />
      </PageBody>
    </PageFrame>
  );
}

/**
 * What is left of a task: who said what about its end. What nobody measured is said so.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Receipt } from "../../ipc/contract.ts";
import { formatBytes, formatDuration, formatTime, shortHex } from "../chat/format.ts";
import { CopyButton } from "../design/copy-button.tsx";
import { Facts } from "../design/facts.tsx";
import { ReleaseName } from "./release-name.tsx";

interface Props {
  readonly receipt: Receipt;
}

export function ReceiptView({ receipt }: Props) {
  const { t, i18n } = useTranslation();
  const { grade, cell, warden } = receipt;
  const time = (ms: number) => formatTime(ms, i18n.language);
  const notMeasured = <em className="not-measured">{t("receipts.notMeasured")}</em>;
  return (
    <Facts
      facts={[
        [
          t("receipts.task"),
          <span key="task" className="code">
            {shortHex(receipt.task)}
          </span>,
        ],
        [t("receipts.number"), String(receipt.sequence)],
        [t("receipts.begun"), time(receipt.certifiedAt)],
        [t("receipts.ended"), time(receipt.endedAt)],
        [t("receipts.lasted"), formatDuration(Math.max(0, receipt.endedAt - receipt.certifiedAt))],
        [
          t("receipts.model"),
          <span key="model" className="code">
            {shortHex(receipt.model)}
          </span>,
        ],
        [t("receipts.release"), <ReleaseName key="release" digest={receipt.release} />],
        [
          t("receipts.cell"),
          cell
            ? t("receipts.cellText", {
                end: t(`receipts.cellEnd.${cell.end}`),
                bytes: formatBytes(cell.wipedBytes),
                time: time(cell.wipedAt),
              })
            : notMeasured,
        ],
        [
          t("receipts.grade"),
          grade ? (
            t("receipts.gradeText", { grade: t(`health.grade.${grade}`) })
          ) : (
            <em key="grade" className="not-measured">
              {t("receipts.gradeNotRecorded")}
            </em>
          ),
        ],
        [
          t("receipts.warden"),
          warden
            ? t(warden.isSigned ? "receipts.wardenText" : "receipts.wardenUnsigned", {
                attempts: warden.attempts,
                unreported: warden.unreported,
              })
            : notMeasured,
        ],
        [t("receipts.whose"), t(receipt.isOwn ? "receipts.isOwn" : "receipts.isNotOwn")],
        [
          t("receipts.signature"),
          <span key="signature" className="worker-state">
            {t("receipts.verified")}
            <CopyButton text={receipt.document} label={t("receipts.copyDocument")} />
          </span>,
        ],
      ]}
    />
  );
}

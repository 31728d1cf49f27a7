/**
 * What came in through the open window or the last one, and what did not and why.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Transfer } from "../../ipc/contract.ts";
import { formatBytes } from "../chat/format.ts";
import { Dot, type Tone } from "../design/parts.tsx";
import { en } from "../i18n/en.ts";
import { fileName } from "../window/use-window.ts";

type KnownError = keyof typeof en.models.transferErrors.by;

const isKnown = (code: string): code is KnownError =>
  Object.hasOwn(en.models.transferErrors.by, code);

const tones = {
  waiting: "plain",
  fetching: "caution",
  storing: "caution",
  stored: "good",
  failed: "danger",
} as const satisfies Record<Transfer["state"], Tone>;

export function Transfers({ transfers }: { transfers: readonly Transfer[] }) {
  const { t } = useTranslation();
  return (
    <section>
      <h2>{t("models.transfers.title")}</h2>
      {transfers.length === 0 && <p className="nothing">{t("models.transfers.none")}</p>}
      <ul className="transfers">
        {transfers.map((transfer) => (
          <TransferRow key={`${transfer.digest} ${transfer.name}`} transfer={transfer} />
        ))}
      </ul>
    </section>
  );
}

function TransferRow({ transfer }: { transfer: Transfer }) {
  const { t } = useTranslation();
  const { name, bytes, received, state, error } = transfer;
  const isMoving = state === "fetching" || state === "storing";
  return (
    <li className="transfer">
      <p className="transfer-head">
        <Dot tone={tones[state]} />
        <strong className="ellipsis">{fileName(name)}</strong>
        <span role="status">{t(`models.transfers.state.${state}`)}</span>
        <span className="number transfer-bytes">
          {t("models.transfers.received", {
            received: formatBytes(received),
            bytes: formatBytes(bytes),
          })}
        </span>
      </p>
      {isMoving && <progress aria-label={fileName(name)} value={received} max={bytes} />}
      {error !== null && (
        <p className="transfer-error">
          {isKnown(error)
            ? t(`models.transferErrors.by.${error}`)
            : t("models.transfers.unknown")}{" "}
          {isKnown(error)
            ? t(`models.transferErrors.action.${error}`)
            : t("models.transfers.unknownAction")}{" "}
          <span className="code">{error}</span>
        </p>
      )}
    </li>
  );
}

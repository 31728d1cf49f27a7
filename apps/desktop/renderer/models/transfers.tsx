/**
 * What came in through the open window or the last one, and what did not and why.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeWindow, Transfer } from "../../ipc/contract.ts";
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

export function Transfers({ window: { transfers, earlier } }: { window: NodeWindow }) {
  const { t } = useTranslation();
  const isEmpty = transfers.length === 0 && earlier.length === 0;
  return (
    <section>
      <h2>{t("models.transfers.title")}</h2>
      {isEmpty && <p className="nothing">{t("models.transfers.none")}</p>}
      <TransferList transfers={transfers} />
      {earlier.length > 0 && (
        <>
          <h3>{t("models.transfers.earlier")}</h3>
          <TransferList transfers={earlier} />
        </>
      )}
    </section>
  );
}

function TransferList({ transfers }: { transfers: readonly Transfer[] }) {
  if (transfers.length === 0) return undefined;
  return (
    <ul className="transfers">
      {transfers.map((transfer, place) => (
        // A file may come twice; rows only ever move down.
        <TransferRow key={transfers.length - place} transfer={transfer} />
      ))}
    </ul>
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
          {isKnown(error) ? t(`models.transferErrors.by.${error}`) : t("models.transfers.unknown")}{" "}
          {isKnown(error)
            ? t(`models.transferErrors.action.${error}`)
            : t("models.transfers.unknownAction")}{" "}
          <span className="code">{error}</span>
        </p>
      )}
    </li>
  );
}

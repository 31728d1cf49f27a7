/**
 * A code as a picture to scan and a text to copy.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { CodeView as Code } from "../../ipc/contract.ts";
import { formatTime } from "../chat/format.ts";
import { CopyButton } from "../design/copy-button.tsx";

export function CodeView({ code, label }: { code: Code; label: string }) {
  const { t, i18n } = useTranslation();
  const side = code.rows.length;
  return (
    <div className="pair-code">
      <svg
        className="qr"
        viewBox={`0 0 ${side} ${side}`}
        role="img"
        aria-label={t("devices.picture")}
      >
        <rect width={side} height={side} fill="#fff" />
        <path d={darkModules(code.rows)} fill="#000" shapeRendering="crispEdges" />
      </svg>
      <div className="pair-text">
        <p className="field-hint">{label}</p>
        <p className="code pair-line">
          {code.text.slice(0, SHOWN_CHARS)}…
          <CopyButton text={code.text} label={t("devices.copyCode")} />
        </p>
        <p className="field-hint">
          {t("devices.until", { time: formatTime(code.expiresAt, i18n.language) })}
        </p>
      </div>
    </div>
  );
}

/** Nobody types it: enough to see that it is there. */
const SHOWN_CHARS = 36;

/** One path of unit squares: a picture of thousands of elements would be slow. */
function darkModules(rows: readonly string[]): string {
  return rows
    .flatMap((row, y) =>
      [...row].flatMap((module, x) => (module === "1" ? `M${x} ${y}h1v1h-1z` : [])),
    )
    .join("");
}

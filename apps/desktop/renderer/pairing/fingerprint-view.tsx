/**
 * One key in three forms: words to say aloud, colours to see at a glance, digits to check.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Fingerprint } from "../../ipc/contract.ts";

/** The palette, by number; each colour also carries its name, so nobody must tell two apart by eye. */
export const blockColours = [
  "black",
  "white",
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
] as const;

export function FingerprintView({ fingerprint }: { fingerprint: Fingerprint }) {
  const { t } = useTranslation();
  return (
    <div className="fingerprint">
      <section aria-label={t("fingerprint.words")}>
        <h2>{t("fingerprint.words")}</h2>
        <ol className="fingerprint-words">
          {fingerprint.words.map((word, place) => (
            // A word may occur twice; its place is what it is.
            <li key={place}>{word}</li>
          ))}
        </ol>
      </section>
      <section aria-label={t("fingerprint.colours")}>
        <h2>{t("fingerprint.colours")}</h2>
        <ol className="fingerprint-blocks">
          {fingerprint.blocks.map((block, place) => {
            const colour = blockColours[block] ?? "black";
            return (
              <li key={place}>
                <span className="fingerprint-block" data-colour={colour} />
                {t(`fingerprint.colour.${colour}`)}
              </li>
            );
          })}
        </ol>
      </section>
      <section aria-label={t("fingerprint.digits")}>
        <h2>{t("fingerprint.digits")}</h2>
        <p className="fingerprint-digits number">{fingerprint.digits}</p>
      </section>
    </div>
  );
}

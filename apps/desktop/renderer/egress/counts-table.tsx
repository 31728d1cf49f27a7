/**
 * Exact counts for each unit of the node.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Egress } from "../../ipc/contract.ts";
import { Banner } from "../design/parts.tsx";
import { en } from "../i18n/en.ts";

type UnitName = keyof typeof en.egress.units;

const isKnown = (unit: string): unit is UnitName => Object.hasOwn(en.egress.units, unit);

export function CountsTable({ counts }: { counts: Egress["counts"] }) {
  const { t, i18n } = useTranslation();
  const number = (value: number) => value.toLocaleString(i18n.language);
  const lost = counts.reduce((sum, count) => sum + count.lost, 0);
  return (
    <section>
      <h2>{t("egress.countsTitle")}</h2>
      <p className="lead">{t("egress.countsMeaning")}</p>
      {lost > 0 && (
        <Banner tone="caution" shape="box">
          <p>{t("egress.lostNote", { count: lost })}</p>
        </Banner>
      )}
      {counts.length === 0 ? (
        <p className="nothing">{t("egress.noCounts")}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t("egress.unit")}</th>
              <th scope="col" className="figure">
                {t("egress.attempts")}
              </th>
              <th scope="col" className="figure">
                {t("egress.logged")}
              </th>
              <th scope="col" className="figure">
                {t("egress.lost")}
              </th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ unit, attempts, logged, lost: dropped }) => (
              <tr key={unit} data-some={attempts > 0 && unit !== "probe"}>
                <th scope="row">
                  {unit}
                  {isKnown(unit) && (
                    <span className="unit-meaning">{t(`egress.units.${unit}`)}</span>
                  )}
                </th>
                <td className="figure">{number(attempts)}</td>
                <td className="figure">{number(logged)}</td>
                <td className="figure">{number(dropped)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

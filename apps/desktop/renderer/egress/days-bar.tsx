/**
 * Thirty days of attempts at a glance: how many, on which days, and which days were not counted.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Egress } from "../../ipc/contract.ts";

const DAYS = 30;
const DAY_MS = 86_400_000;

/** Of the drawing, in its own units. */
const SLOT = 16;
const HEIGHT = 56;
/** A single attempt beside a thousand must still be seen. */
const LEAST = 8;

interface Day {
  readonly day: string;
  /** `null` where nobody counted. */
  readonly attempts: number | null;
}

export function DaysBar({ days, now }: { days: Egress["days"]; now: number }) {
  const { t, i18n } = useTranslation();
  const shown = lastDays(days, now);
  const total = shown.reduce((sum, { attempts }) => sum + (attempts ?? 0), 0);
  const most = Math.max(...shown.map(({ attempts }) => attempts ?? 0));
  // A boot begins a new count; what the node knows of days reaches further back.
  const first = shown.findIndex(({ attempts }) => attempts !== null);
  const uncounted = shown.slice(Math.max(0, first)).filter(({ attempts }) => attempts === null);
  const since = new Date(first < 0 ? now : shown[first]!.day);
  const day = since.toLocaleDateString(i18n.language, { dateStyle: "medium", timeZone: "UTC" });
  const summary =
    first === 0
      ? t("egress.total", { count: total })
      : t("egress.totalSince", { count: total, day });
  return (
    <section>
      <h2>{t("egress.daysTitle")}</h2>
      <p className="headline" data-tone={total === 0 ? "good" : "danger"}>
        {summary}
      </p>
      <Bars label={summary} days={shown} most={most} />
      <p className="field-hint">
        {most === 0 ? t("egress.daysLegendNone") : t("egress.daysLegend", { most })}{" "}
        {first >= 0 &&
          uncounted.length > 0 &&
          t("egress.daysUncounted", { count: uncounted.length })}
      </p>
      <ul className="visually-hidden">
        {shown.flatMap(({ day: name, attempts }) =>
          attempts ? (
            <li key={name}>{t("egress.dayAttempts", { day: name, count: attempts })}</li>
          ) : (
            []
          ),
        )}
      </ul>
    </section>
  );
}

interface BarsProps {
  readonly label: string;
  readonly days: readonly Day[];
  readonly most: number;
}

function Bars({ label, days, most }: BarsProps) {
  const { t } = useTranslation();
  return (
    <svg
      className="days-bar"
      viewBox={`0 0 ${DAYS * SLOT} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {days.map(({ day, attempts }, place) => {
        const height = attempts ? LEAST + ((HEIGHT - LEAST) * attempts) / most : 4;
        return (
          <rect
            key={day}
            data-kind={attempts === null ? "not-counted" : attempts === 0 ? "none" : "some"}
            x={place * SLOT + 2}
            y={HEIGHT - height}
            width={SLOT - 4}
            height={height}
          >
            <title>
              {attempts === null
                ? t("egress.dayNotCounted", { day })
                : t("egress.dayAttempts", { day, count: attempts })}
            </title>
          </rect>
        );
      })}
    </svg>
  );
}

/** Thirty days in UTC, today last. */
function lastDays(days: Egress["days"], now: number): Day[] {
  const known = new Map(days.map(({ day, attempts }) => [day, attempts]));
  return Array.from({ length: DAYS }, (_, place) => {
    const day = new Date(now - (DAYS - 1 - place) * DAY_MS).toISOString().slice(0, 10);
    return { day, attempts: known.get(day) ?? null };
  });
}

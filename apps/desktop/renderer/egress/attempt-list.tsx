/**
 * The newest refused attempts, live. A row is drawn once; a flood draws two hundred of them.
 *
 * @module
 */
import { Fragment, memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Attempt } from "../../ipc/contract.ts";
import { Button } from "../design/button.tsx";
import { MAX_ROWS, skippedBelow, type AttemptLog } from "./attempt-log.ts";

export function AttemptList({ log }: { log: AttemptLog }) {
  const { t } = useTranslation();
  const [paused, setPaused] = useState<AttemptLog>();
  const { rows } = paused ?? log;
  const missed = paused ? Math.max(0, log.egress.latest - paused.egress.latest) : 0;
  return (
    <section>
      <div className="section-head">
        <h2>{t("egress.listTitle")}</h2>
        {rows.length > 0 && (
          <Button
            size="small"
            aria-pressed={paused !== undefined}
            onClick={() => setPaused(paused ? undefined : log)}
          >
            {t(paused ? "egress.resume" : "egress.pause")}
          </Button>
        )}
      </div>
      <p className="lead">
        {missed > 0
          ? t("egress.paused", { count: missed })
          : t("egress.listMeaning", { count: MAX_ROWS })}
      </p>
      <Heard latest={log.egress.latest} />
      {rows.length === 0 ? (
        <p className="nothing">{t("egress.none")}</p>
      ) : (
        <div className="attempts" role="region" aria-label={t("egress.listTitle")} tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                {(["time", "unit", "protocol", "address", "port", "hook"] as const).map((name) => (
                  <th key={name} scope="col">
                    {t(`egress.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((attempt, place) => {
                const skipped = skippedBelow(rows, place);
                return (
                  <Fragment key={attempt.sequence}>
                    <AttemptRow attempt={attempt} />
                    {skipped > 0 && (
                      <tr className="attempt-gap">
                        <td colSpan={6}>{t("egress.gap", { count: skipped })}</td>
                      </tr>
                    )}
                  </Fragment>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const AttemptRow = memo(function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { t, i18n } = useTranslation();
  const { at, unit, protocol, address, port, hook } = attempt;
  return (
    <tr>
      <td>
        <time dateTime={new Date(at).toISOString()}>{timeFormat(i18n.language).format(at)}</time>
      </td>
      <td>{unit}</td>
      <td>{protocol}</td>
      <td className="code">
        {address || <span className="not-measured">{t("egress.noAddress")}</span>}
      </td>
      <td>{port === 0 ? "" : port}</td>
      <td className="code">{hook}</td>
    </tr>
  );
}, isSameAttempt);

/** A log read anew brings the same attempt as another object. */
function isSameAttempt(a: { attempt: Attempt }, b: { attempt: Attempt }): boolean {
  return a.attempt.sequence === b.attempt.sequence && a.attempt.at === b.attempt.at;
}

/** Making a format costs more than using it two hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function timeFormat(language: string): Intl.DateTimeFormat {
  let format = formats.get(language);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
    formats.set(language, format);
  }
  return format;
}

/** Says how many came, a while after they came: a flood must not talk without end. */
function Heard({ latest }: { latest: number }) {
  const { t } = useTranslation();
  const [said, setSaid] = useState(latest);
  const [text, setText] = useState("");
  const newest = useRef(latest);
  newest.current = latest;
  useEffect(() => {
    const timer = setInterval(() => {
      const count = newest.current - said;
      if (count === 0) return;
      setSaid(newest.current);
      setText(count > 0 ? t("egress.heard", { count }) : "");
    }, SAY_MS);
    return () => clearInterval(timer);
  }, [said, t]);
  return (
    <p className="visually-hidden" role="status">
      {text}
    </p>
  );
}

/** Time for a sentence to be read aloud. */
const SAY_MS = 5_000;

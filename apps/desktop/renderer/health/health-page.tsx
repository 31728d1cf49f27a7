/**
 * How well the node wipes, and each finding about its machine: the fact, its consequence, one step.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Doctor, DoctorCheck, Finding, NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useDoctor } from "../app/queries.ts";
import { formatTime } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Banner, Dot, Skeleton } from "../design/parts.tsx";
import "./health.css";

/** In this order: first what decides the grade. */
const checks: readonly DoctorCheck[] = [
  "cell",
  "freedMemory",
  "swap",
  "hibernation",
  "coreDumps",
  "pageMerging",
  "policy",
  "kernelUpdate",
  "sshPasswords",
  "logs",
];

const gradeTones = { A: "good", B: "caution", C: "danger" } as const;

export function HealthPage({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const { data, error, isFetching, refetch } = useDoctor(node);
  return (
    <PageFrame
      title={t("health.title")}
      actions={
        <Button disabled={isFetching} onClick={() => void refetch()}>
          {t("node.refresh")}
        </Button>
      }
    >
      <PageBody>
        <p className="lead">{t("health.meaning")}</p>
        {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {!error && !data && <Skeleton lines={6} label={t("health.loading")} />}
        {data && !error && (
          <>
            <Grade doctor={data} />
            <section>
              <h2>{t("health.findings")}</h2>
              <ul className="findings">
                {checks.map((check) => (
                  <FindingView key={check} check={check} finding={data.findings[check]} />
                ))}
              </ul>
            </section>
          </>
        )}
      </PageBody>
    </PageFrame>
  );
}

function Grade({ doctor: { grade, heldBy, readAt, findings } }: { doctor: Doctor }) {
  const { t, i18n } = useTranslation();
  const factText = useFactText();
  return (
    <section>
      <h2>{t("health.gradeTitle")}</h2>
      <Banner tone={gradeTones[grade]} shape="box">
        <p>
          <strong>{t(`health.grade.${grade}`)}</strong>
        </p>
        <p>{t(`health.gradeText.${grade}`)}</p>
        {heldBy !== null && (
          <>
            <p>
              {t("health.heldBy", {
                fact: `${t(`health.check.${heldBy}.title`)}: ${factText(heldBy, findings[heldBy])}`,
              })}
            </p>
            <p>{t("health.step", { step: t(`health.check.${heldBy}.step`) })}</p>
          </>
        )}
      </Banner>
      <p className="lead">
        {readAt === null
          ? t("health.notRead")
          : t("health.readAt", { time: formatTime(readAt, i18n.language) })}
      </p>
    </section>
  );
}

function FindingView({ check, finding }: { check: DoctorCheck; finding: Finding }) {
  const { t } = useTranslation();
  const factText = useFactText();
  const { isGood, detail } = finding;
  return (
    <li>
      <p className="finding-fact">
        <Dot tone={isGood === null ? "caution" : isGood ? "good" : "danger"} />
        <strong>{t(`health.check.${check}.title`)}</strong>
        <span>{factText(check, finding)}</span>
        {detail !== null && <span className="finding-detail">{detail}</span>}
      </p>
      {!isGood && (
        <>
          <p>{isGood === null ? t("health.unreadText") : t(`health.check.${check}.consequence`)}</p>
          <p>
            {t(isGood === null ? "health.unreadStep" : "health.step", {
              step: t(`health.check.${check}.step`),
            })}
          </p>
        </>
      )}
    </li>
  );
}

function useFactText(): (check: DoctorCheck, finding: Finding) => string {
  const { t } = useTranslation();
  return (check, { isGood }) =>
    isGood === null ? t("health.unread") : t(`health.check.${check}.${isGood ? "good" : "bad"}`);
}

/**
 * How far the server is, step by step, as its journal says it.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Setup, SetupStep } from "../../ipc/contract.ts";
import { formatBytes } from "../chat/format.ts";
import { useNow } from "../chat/use-now.ts";
import { Button } from "../design/button.tsx";
import { Banner, Dot, Spinner, type Tone } from "../design/parts.tsx";
import { chosenSteps } from "./plan-stage.tsx";
import type { StageProps } from "./use-setup.ts";
import { WishesForm } from "./wishes-form.tsx";

/** Longer than that, somebody looking on wonders: milliseconds. */
const QUIET_MS = 15_000;

export function InstallStage({ setup, act }: StageProps) {
  const { t } = useTranslation();
  const { isBusy, report, plan } = setup;
  if (setup.wishes.length > 0) return <WishesForm setup={setup} act={act} />;
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.install.title")}</h2>
      <p className="lead">{t(isBusy ? "setup.install.text" : "setup.install.failed")}</p>
      <Circumstances setup={setup} />
      <Upload upload={setup.upload} />
      <StepList setup={setup} names={plan ? chosenSteps(plan) : []} />
      {!isBusy && (
        <div className="form-actions">
          <Button kind="primary" onClick={() => act("setup.goOn", {})}>
            {t("setup.tryAgain")}
          </Button>
          <Button onClick={() => act("setup.listRemovals", {})}>{t("setup.install.undo")}</Button>
        </div>
      )}
      {report === "" ? (
        setup.release.isUnsigned && <p className="field-hint">{t("setup.install.unsigned")}</p>
      ) : (
        <details className="setup-more">
          <summary>{t("setup.install.report")}</summary>
          <pre className="setup-report">{report}</pre>
        </details>
      )}
    </section>
  );
}

/** The connection, a reboot, and silence: each in words, so that nobody takes a wait for a crash. */
function Circumstances({ setup: { isAway, isRebooting, heardAt, isBusy } }: { setup: Setup }) {
  const { t } = useTranslation();
  const now = useNow();
  const quietMs = heardAt === null ? 0 : now - heardAt;
  if (!isBusy) return undefined;
  const text = isRebooting
    ? t("setup.install.rebooting")
    : isAway
      ? t("setup.install.away")
      : undefined;
  return (
    <>
      <div role="status">
        {text !== undefined && (
          <Banner tone={isRebooting ? "plain" : "caution"} shape="box">
            <p>{text}</p>
          </Banner>
        )}
      </div>
      {quietMs > QUIET_MS && (
        <p className="field-hint number">
          {t("setup.install.quiet", { seconds: Math.round(quietMs / 1000) })}
        </p>
      )}
    </>
  );
}

function Upload({ upload }: { upload: Setup["upload"] }) {
  const { t } = useTranslation();
  if (upload === null) return undefined;
  const { sent, of } = upload;
  return (
    <div className="setup-upload">
      <p>
        {t("setup.install.upload")}{" "}
        <span className="number field-hint">
          {t("models.transfers.received", { received: formatBytes(sent), bytes: formatBytes(of) })}
        </span>
      </p>
      <progress aria-label={t("setup.install.upload")} value={sent} max={of} />
    </div>
  );
}

const tones = {
  waiting: "plain",
  applying: "caution",
  done: "good",
  "was-so": "good",
  failed: "danger",
  undoing: "caution",
  undone: "plain",
} as const satisfies Record<Setup["steps"][number]["state"] | "waiting", Tone>;

export function StepList({ setup, names }: { setup: Setup; names: readonly SetupStep[] }) {
  const { t } = useTranslation();
  return (
    <ol className="setup-steps" aria-live="polite">
      {names.map((name) => {
        const row = setup.steps.find(({ step }) => step === name);
        const state = row?.state ?? "waiting";
        const isNow = state === "applying" || state === "undoing";
        return (
          <li key={name} data-state={state}>
            {isNow && setup.isBusy ? <Spinner /> : <Dot tone={tones[state]} />}
            <span className="setup-step-text">{t(`setup.step.${name}`)}</span>
            <span className="setup-step-state number">
              {t(`setup.install.state.${isNow && !setup.isBusy ? "cut" : state}`)}
              {row?.tookMs !== null && row?.tookMs !== undefined && (
                <> · {t("setup.install.took", { seconds: (row.tookMs / 1000).toFixed(1) })}</>
              )}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/**
 * A set-up that was ended: go on, undo it, or leave it. What undoing takes away is listed first.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { StepList } from "./install-stage.tsx";
import type { StageProps } from "./use-setup.ts";

export function StoppedStage({ setup, act }: StageProps) {
  const { t } = useTranslation();
  const { isBusy, steps } = setup;
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.stopped.title")}</h2>
      <p className="lead" role="status">
        {t(isBusy ? "setup.stopped.ending" : "setup.stopped.text")}
      </p>
      <StepList setup={setup} names={steps.map(({ step }) => step)} />
      <div className="form-actions">
        <Button kind="primary" disabled={isBusy} onClick={() => act("setup.goOn", {})}>
          {t("setup.stopped.goOn")}
        </Button>
        <Button disabled={isBusy} onClick={() => act("setup.listRemovals", {})}>
          {t("setup.stopped.undo")}
        </Button>
        <Button disabled={isBusy} onClick={() => act("setup.leave", {})}>
          {t("setup.stopped.leave")}
        </Button>
      </div>
    </section>
  );
}

export function RemovalStage({ setup, act }: StageProps) {
  const { t } = useTranslation();
  const { isBusy, removals, steps, stage } = setup;
  const isOver = stage === "removed";
  return (
    <section>
      <h2 tabIndex={-1}>{t(isOver ? "setup.removal.doneTitle" : "setup.removal.title")}</h2>
      <p className="lead">{t(isOver ? "setup.removal.doneText" : "setup.removal.text")}</p>
      {!isOver && (
        <ul className="setup-changes code">
          {removals.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <StepList
        setup={setup}
        names={steps
          .filter(({ state }) => state === "undoing" || state === "undone")
          .map(({ step }) => step)}
      />
      <div className="form-actions">
        {isOver ? (
          <Button kind="primary" onClick={() => act("setup.leave", {})}>
            {t("setup.removal.leave")}
          </Button>
        ) : (
          <>
            <Button kind="danger" disabled={isBusy} onClick={() => act("setup.remove", {})}>
              {isBusy && <Spinner />}
              {t(isBusy ? "setup.removal.doing" : "setup.removal.do")}
            </Button>
            <Button disabled={isBusy} onClick={() => act("setup.leave", {})}>
              {t("setup.removal.keep")}
            </Button>
          </>
        )}
      </div>
    </section>
  );
}

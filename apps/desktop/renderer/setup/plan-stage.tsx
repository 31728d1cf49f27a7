/**
 * What will change on the server, in order, and what a person may choose of it.
 *
 * @module
 */
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import type { OptionalStep, SetupPlan, SetupStep } from "../../ipc/contract.ts";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { en } from "../i18n/en.ts";
import { Check, Field } from "./field.tsx";
import type { StageProps } from "./use-setup.ts";

/** Steps that are done only where a person wants them, and by which choice. */
const optional: Partial<Record<SetupStep, OptionalStep>> = {
  memory: "memory",
  reboot: "memory",
  firewall: "firewall",
  kernel: "kernel",
  ssh: "ssh",
};

/** In their order. */
const choices = Object.keys(en.setup.plan.choice) as OptionalStep[];

/** What this plan does, in its order. */
export function chosenSteps(plan: SetupPlan): readonly SetupStep[] {
  const steps = Object.keys(en.setup.step) as SetupStep[];
  return steps.filter((step) => !optional[step] || plan.steps.includes(optional[step]));
}

export function PlanStage({ setup, act }: StageProps) {
  return setup.plan && <Plan first={setup.plan} setup={setup} act={act} />;
}

function Plan({
  first,
  setup: { release, isBusy, isByKey },
  act,
}: StageProps & { first: SetupPlan }) {
  const { t } = useTranslation();
  const [plan, setPlan] = useState(first);
  const [port, setPort] = useState(String(first.port));
  const change = (changed: Partial<SetupPlan>) => setPlan((before) => ({ ...before, ...changed }));
  const isNameRight = /^[a-z0-9][a-z0-9-]{0,63}$/.test(plan.name);
  const isPortRight = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  const isReady = isNameRight && isPortRight && release.bundle !== "";
  const install = (event: SubmitEvent) => {
    event.preventDefault();
    act("setup.install", { ...plan, port: Number(port) });
  };
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.plan.title")}</h2>
      <p className="lead">{t("setup.plan.text")}</p>
      <ol className="setup-changes">
        {chosenSteps(plan).map((step) => (
          <li key={step}>
            {t(`setup.step.${step}`)}
            {optional[step] && <span className="field-hint"> {t("setup.plan.optional")}</span>}
          </li>
        ))}
      </ol>
      <h3>{t("setup.plan.settings")}</h3>
      <form className="setup-form" onSubmit={install}>
        {choices.map((choice) => (
          <Check
            key={choice}
            label={t(`setup.plan.choice.${choice}`)}
            checked={plan.steps.includes(choice)}
            // Without its reboot a kernel does not hold; without a key, keys only would lock out.
            disabled={
              (choice === "kernel" && !plan.steps.includes("memory")) ||
              (choice === "ssh" && !isByKey)
            }
            onChange={({ target }) =>
              change({
                steps: choices.filter((one) =>
                  one === choice
                    ? target.checked
                    : plan.steps.includes(one) &&
                      !(one === "kernel" && choice === "memory" && !target.checked),
                ),
              })
            }
          />
        ))}
        <Release release={release} isBusy={isBusy} act={act} />
        <div className="setup-pair">
          <Field
            label={t("setup.plan.name")}
            hint={t("setup.plan.nameHint")}
            wrong={isNameRight ? undefined : t("setup.plan.nameWrong")}
            value={plan.name}
            maxLength={64}
            onChange={(event) => change({ name: event.target.value })}
          />
          <Field
            label={t("setup.plan.port")}
            hint={t("setup.plan.portHint")}
            inputMode="numeric"
            value={port}
            maxLength={5}
            aria-invalid={!isPortRight}
            onChange={(event) => setPort(event.target.value)}
          />
        </div>
        <details className="setup-more">
          <summary>{t("setup.plan.more")}</summary>
          <Field
            label={t("setup.plan.reach")}
            hint={t("setup.plan.reachHint")}
            value={plan.reach}
            maxLength={300}
            onChange={(event) => change({ reach: event.target.value.trim() })}
          />
        </details>
        <div className="form-actions">
          <Button type="submit" kind="primary" disabled={isBusy || !isReady}>
            {isBusy && <Spinner />}
            {t(isBusy ? "setup.plan.verifying" : "setup.plan.install")}
          </Button>
          <Button disabled={isBusy} onClick={() => act("setup.lookAgain", {})}>
            {t("setup.plan.back")}
          </Button>
        </div>
      </form>
    </section>
  );
}

/** Shown, never typed: it is named where the console was started, or in the system's own dialog. */
function Release({
  release: { bundle, isUnsigned, mayChoose },
  isBusy,
  act,
}: Pick<StageProps["setup"], "release" | "isBusy"> & Pick<StageProps, "act">) {
  const { t } = useTranslation();
  return (
    <div className="field">
      <p>
        {t("setup.plan.bundle")}: {bundle === "" ? "—" : <code>{bundle}</code>}
      </p>
      {bundle === "" && !mayChoose && <p className="field-hint">{t("setup.plan.bundleHint")}</p>}
      {bundle !== "" && (
        <p className="field-hint">
          {t(isUnsigned ? "setup.plan.isUnsigned" : "setup.plan.signed")}
        </p>
      )}
      {mayChoose && (
        <Button disabled={isBusy} onClick={() => act("setup.chooseRelease", {})}>
          {t("setup.plan.choose")}
        </Button>
      )}
    </div>
  );
}

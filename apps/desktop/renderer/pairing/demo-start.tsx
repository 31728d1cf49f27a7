/**
 * Starts the demo node and shows how far it is.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Demo } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { RequestRefused } from "../app/bridge.ts";
import { useLoadedState, useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";

const running = ["preparing", "starting", "connecting", "stopping"] as const;
type RunningStep = (typeof running)[number];

const isRunning = (step: Demo["step"]): step is RunningStep =>
  (running as readonly string[]).includes(step);

export function DemoStart({ label }: { label: string }) {
  const { t } = useTranslation();
  const { demo } = useLoadedState();
  const start = useRequest("demo.start");
  const thrown = start.error ?? (demo.error && new RequestRefused(demo.error));
  const step = isRunning(demo.step) ? demo.step : undefined;
  const isStarting = start.isPending || step !== undefined;
  return (
    <div className="demo-start">
      {thrown && !isStarting && <ErrorView thrown={thrown} />}
      <Button kind="primary" disabled={isStarting} onClick={() => start.mutate({})}>
        {isStarting && <Spinner />}
        {label}
      </Button>
      <p className="demo-step" role="status">
        {isStarting && t(`demo.step.${step ?? "preparing"}`)}
      </p>
    </div>
  );
}

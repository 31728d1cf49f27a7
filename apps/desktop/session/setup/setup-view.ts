/**
 * What the page is told of a set-up, and how each event of it changes that.
 *
 * @module
 */
import type { SetUpEvent } from "@phantoma/provision";
import { setupSteps, type Setup } from "../../ipc/setup.ts";

type Row = Setup["steps"][number];

/** Before an address was named. */
export const noSetup: Setup = {
  stage: "host",
  isBusy: false,
  error: null,
  server: null,
  hostKey: null,
  wishes: [],
  isByKey: false,
  ways: { keys: [], hasAgent: false },
  isResuming: false,
  privilege: null,
  findings: [],
  plan: null,
  release: { bundle: "", isUnsigned: false, mayChoose: false },
  report: "",
  upload: null,
  steps: [],
  isAway: false,
  isRebooting: false,
  heardAt: null,
  drill: [],
  node: null,
  removals: [],
};

/** What a run begins with. */
export const nothingDone = {
  upload: null,
  steps: [],
  isAway: false,
  isRebooting: false,
  heardAt: null,
  drill: [],
} as const satisfies Partial<Setup>;

/** @returns what changed; `undefined` where nothing did that a person would see */
export function heard(setup: Setup, event: SetUpEvent, now: number): Partial<Setup> | undefined {
  switch (event.kind) {
    case "upload":
      return isNextPercent(setup.upload, event)
        ? { upload: { sent: event.sent, of: event.of }, heardAt: now }
        : undefined;
    case "away":
      return { isAway: event.isAway, heardAt: event.isAway ? setup.heardAt : now };
    case "rebooting":
      return { isRebooting: true };
    case "began":
      // A run after the reboot tries all of them again.
      return { isRebooting: false, isAway: false, drill: [], heardAt: now };
    case "step":
    case "failed": {
      const step = setupSteps.find((one) => one === event.step);
      const { at } = event;
      const state = event.kind === "failed" ? "failed" : event.state;
      return step && { steps: withStep(setup.steps, { step, state, at }), heardAt: now };
    }
    case "drill": {
      const { unit, isBlocked, isCounted } = event;
      return { drill: [...setup.drill, { unit, isBlocked, isCounted }], heardAt: now };
    }
    case "wants":
    case "ended":
      return { heardAt: now };
  }
}

function isNextPercent(before: Setup["upload"], { sent, of }: NonNullable<Setup["upload"]>) {
  const percent = (bytes: number) => Math.floor((100 * bytes) / of);
  return before === null || percent(sent) !== percent(before.sent);
}

function withStep(
  steps: readonly Row[],
  { step, state, at }: Pick<Row, "step" | "state"> & { readonly at: number },
): Row[] {
  const before = steps.find((row) => row.step === step);
  // What an earlier run of this set-up did is not undone by finding it done.
  if (state === "was-so" && before?.state === "done") return [...steps];
  const isBegun = state === "applying" || state === "undoing";
  const beganAt = isBegun ? at : (before?.beganAt ?? null);
  const tookMs = isBegun || beganAt === null ? null : Math.max(0, at - beganAt);
  const row: Row = { step, state, beganAt, tookMs };
  return before ? steps.map((old) => (old === before ? row : old)) : [...steps, row];
}

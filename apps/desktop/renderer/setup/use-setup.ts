/**
 * Where the set-up is, and what may be asked of it. What changes is told by the console, never guessed here.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { RequestInput, Setup } from "../../ipc/contract.ts";
import { ask } from "../app/bridge.ts";
import { keys } from "../app/queries.ts";

export type SetupRequest = Exclude<
  Extract<Parameters<typeof ask>[0], `setup.${string}`>,
  "setup.get" | "setup.diagnostics"
>;

export const useSetup = () =>
  useQuery<Setup>({ queryKey: keys.setup, queryFn: () => ask("setup.get", {}) });

/** Asks, and keeps what was refused. Nothing of the question is kept: it may be a password. */
export function useSetupAct() {
  const [thrown, setThrown] = useState<unknown>();
  const act = <N extends SetupRequest>(name: N, input: RequestInput<N>): void => {
    setThrown(undefined);
    ask(name, input).catch(setThrown);
  };
  return { act, thrown };
}

export type SetupAct = ReturnType<typeof useSetupAct>["act"];

/** What a stage of the set-up is drawn from. */
export interface StageProps {
  readonly setup: Setup;
  readonly act: SetupAct;
}

/** As people write it to `ssh`. */
export function serverText({ user, host, port }: NonNullable<Setup["server"]>): string {
  const bare = host.includes(":") ? `[${host}]` : host;
  return `${user}@${bare}${port === SSH_PORT ? "" : `:${port}`}`;
}

/** Nobody writes it. */
const SSH_PORT = 22;

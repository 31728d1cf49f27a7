/**
 * The node's maintenance window, wherever it shows.
 *
 * @module
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { NodeView, NodeWindow } from "../../ipc/contract.ts";
import { ask, consoleErrorOf } from "../app/bridge.ts";
import { keys, useRequest } from "../app/queries.ts";
import { useToast } from "../design/toasts.tsx";

/** While something moves, it is watched. */
const MOVING_MS = 1_000;

/** Another device may open one; each look costs the node a process. */
const RESTING_MS = 30_000;

export function useWindow(node: NodeView | undefined) {
  return useQuery({
    queryKey: keys.window(node?.id ?? ""),
    queryFn: () => ask("window.get", { node: node!.id }),
    enabled: node?.isConfirmed === true,
    refetchInterval: ({ state: { data } }) => (data && isMoving(data) ? MOVING_MS : RESTING_MS),
  });
}

function isMoving({ open, transfers }: NodeWindow): boolean {
  return open !== null || transfers.some(({ state }) => state !== "stored" && state !== "failed");
}

/** Names of hosts, each once. */
export const hostsOf = ({ endpoints }: Pick<NonNullable<NodeWindow["open"]>, "endpoints">) => [
  ...new Set(endpoints.map(({ name }) => name)),
];

/** The last part of a file's path, as people call it. */
export const fileName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

export function useCloseWindow(node: string) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useToast();
  const close = useRequest("window.close");
  return {
    isClosing: close.isPending,
    closeNow: () =>
      close.mutate(
        { node },
        {
          onSuccess: () => tell(t("models.window.closed")),
          onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
          onSettled: () => void client.invalidateQueries({ queryKey: keys.window(node) }),
        },
      ),
  };
}

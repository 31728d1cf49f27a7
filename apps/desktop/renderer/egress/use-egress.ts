/**
 * Follows a node's egress log while a page shows it.
 *
 * @module
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { NodeView } from "../../ipc/contract.ts";
import { ask } from "../app/bridge.ts";
import { keys } from "../app/queries.ts";
import { MAX_ROWS, readOn, type AttemptLog } from "./attempt-log.ts";

/** An attempt is seen within a second; the page is drawn twice a second at most, however many come. */
const READ_MS = 500;

/** A node that does not answer is not asked twice a second. */
const RETRY_MS = 5_000;

export function useEgress({ id }: NodeView) {
  const client = useQueryClient();
  const key = keys.egress(id);
  return useQuery({
    queryKey: key,
    queryFn: () =>
      readOn(client.getQueryData<AttemptLog>(key), (after) =>
        ask("egress.read", { node: id, after, limit: MAX_ROWS }),
      ),
    staleTime: 0,
    refetchInterval: ({ state: { error } }) => (error ? RETRY_MS : READ_MS),
    // Rows are compared by their sequence; comparing them member by member would cost a frame.
    structuralSharing: false,
  });
}

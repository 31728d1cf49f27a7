/**
 * What the page knows of the console behind it, cached by what was asked.
 *
 * @module
 */
import { QueryClient, useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";
import type {
  ConsoleState,
  Doctor,
  NodeView,
  RequestInput,
  RequestName,
  RequestOutput,
} from "../../ipc/contract.ts";
import { ask } from "./bridge.ts";

/** The console is on this machine: being offline changes nothing about reaching it. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      retry: false,
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    },
    mutations: { networkMode: "always" },
  },
});

export const keys = {
  state: ["console.state"],
  conversations: ["conversations.list"],
  conversation: (id: string) => ["conversations.get", id],
  status: (node: string) => ["nodes.status", node],
  receipts: (node: string, before: number | null) => ["receipts.list", node, before],
  egress: (node: string) => ["egress.read", node],
  doctor: (node: string) => ["doctor.read", node],
  devices: (node: string) => ["devices.list", node],
  lock: ["lock.get"],
  update: (node: string) => ["updates.read", node],
  reporting: (node: string) => ["reporting.read", node],
  endpoint: ["endpoint.get"],
  setup: ["setup.get"],
  saved: ["saved.list"],
  savedDevices: (node: string) => ["saved.devices", node],
  window: (node: string) => ["window.get", node],
} as const;

export const useConsoleState = () =>
  useQuery({ queryKey: keys.state, queryFn: () => ask("console.state", {}) });

/** The state after the first load; every page below the shell has it. */
export function useLoadedState(): ConsoleState {
  const { data } = useConsoleState();
  if (!data) throw new Error("a page is shown before the console's state has arrived");
  return data;
}

/** The node that may be used: confirmed, and one that runs before one that does not. */
export function usableNode({ nodes }: ConsoleState): NodeView | undefined {
  const confirmed = nodes.filter((node) => node.isConfirmed);
  return confirmed.find((node) => node.state === "online") ?? confirmed[0];
}

export const useConversations = () =>
  useQuery({
    queryKey: keys.conversations,
    queryFn: async () => (await ask("conversations.list", {})).conversations,
  });

/** @param query empty: all */
export const useSaved = (query: string) =>
  useQuery({
    queryKey: [...keys.saved, query],
    queryFn: () => ask("saved.list", { query }),
    // What was found stays until the next is: a list that blinks at every letter cannot be read.
    placeholderData: (before) => before,
  });

export const useSavedDevices = (node: string) =>
  useQuery({
    queryKey: keys.savedDevices(node),
    queryFn: () => ask("saved.devices", { node }),
    staleTime: STATUS_STALE_MS,
  });

export const useConversation = (id: string) =>
  useQuery({
    queryKey: keys.conversation(id),
    queryFn: () => ask("conversations.get", { conversation: id }),
  });

export const useNodeStatus = (node: string) =>
  useQuery({
    queryKey: keys.status(node),
    queryFn: () => ask("nodes.status", { node }),
    staleTime: STATUS_STALE_MS,
  });

/** Another page of the console may have changed it. */
export const useEndpoint = () =>
  useQuery({ queryKey: keys.endpoint, queryFn: () => ask("endpoint.get", {}), staleTime: 0 });

/** Another device may have signed the next list. */
export const useDevices = ({ id }: Pick<NodeView, "id">) =>
  useQuery({
    queryKey: keys.devices(id),
    queryFn: () => ask("devices.list", { node: id }),
    staleTime: 0,
  });

export const useLock = () =>
  useQuery({ queryKey: keys.lock, queryFn: () => ask("lock.get", {}), staleTime: 0 });

/** A status is counted in seconds; asking more often tells nobody anything. */
const STATUS_STALE_MS = 5_000;

export const useReceipts = (node: string, before: number | null) =>
  useQuery({
    queryKey: keys.receipts(node, before),
    queryFn: () => ask("receipts.list", { node, before }),
    staleTime: 0,
  });

/** The machine is looked at every minute; who asks after half of that may hear something new. */
const DOCTOR_STALE_MS = 30_000;

export const useDoctor = ({ id }: Pick<NodeView, "id">) =>
  useQuery({
    queryKey: keys.doctor(id),
    queryFn: () => ask("doctor.read", { node: id }),
    staleTime: DOCTOR_STALE_MS,
  });

export const useUpdate = ({ id }: Pick<NodeView, "id">) =>
  useQuery({
    queryKey: keys.update(id),
    queryFn: () => ask("updates.read", { node: id }),
    staleTime: STATUS_STALE_MS,
  });

export const useReporting = ({ id }: Pick<NodeView, "id">) =>
  useQuery({
    queryKey: keys.reporting(id),
    queryFn: () => ask("reporting.read", { node: id }),
    staleTime: STATUS_STALE_MS,
  });

/** The last answer is not the grade of now when the node cannot be asked any more. */
export function useGrade(node: Pick<NodeView, "id">): Doctor["grade"] | undefined {
  const { data, error } = useDoctor(node);
  return error ? undefined : data?.grade;
}

/** One request that changes something. */
export function useRequest<N extends RequestName>(
  name: N,
): UseMutationResult<RequestOutput<N>, Error, RequestInput<N>> {
  return useMutation({ mutationFn: (input: RequestInput<N>) => ask(name, input) });
}

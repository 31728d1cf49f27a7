/**
 * Whether the console behind the page can be reached.
 *
 * @module
 */
import { useSyncExternalStore } from "react";

let isConnected = true;
const listeners = new Set<() => void>();

export function setConnected(next: boolean): void {
  isConnected = next;
  for (const listener of listeners) listener();
}

export const useIsConnected = () => useSyncExternalStore(listen, () => isConnected);

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

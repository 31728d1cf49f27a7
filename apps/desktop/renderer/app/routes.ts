/**
 * The page's places, kept in the address's fragment so that a reload returns to the same one.
 *
 * @module
 */
import { useSyncExternalStore } from "react";

/** Pages that need nothing but their name. */
const plainPages = [
  "saved",
  "node",
  "models",
  "egress",
  "health",
  "devices",
  "updates",
  "receipts",
  "settings",
  "setup",
] as const;

export type Route =
  | { readonly page: "home" | "new" | (typeof plainPages)[number] }
  | { readonly page: "chat"; readonly conversation: string };

export function parseRoute(untrusted: string): Route {
  const [, name = "", id = ""] = /^#?\/?([a-z]*)\/?([0-9a-f]*)$/.exec(untrusted) ?? [];
  if (name === "chat" && id.length === 16) return { page: "chat", conversation: id };
  const page = plainPages.find((one) => one === name);
  return { page: page ?? (name === "new" ? "new" : "home") };
}

export function addressOf(route: Route): string {
  if (route.page === "chat") return `#/chat/${route.conversation}`;
  return route.page === "home" ? "#/" : `#/${route.page}`;
}

export function goTo(route: Route): void {
  location.hash = addressOf(route);
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(listen, () => location.hash));
}

function listen(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

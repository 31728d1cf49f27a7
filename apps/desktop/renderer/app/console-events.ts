/**
 * Puts what the console tells unasked where the page looks for it.
 *
 * @module
 */
import type { QueryClient } from "@tanstack/react-query";
import type {
  ConsoleEvent,
  ConsoleState,
  Conversation,
  ConversationSummary,
  Setup,
} from "../../ipc/contract.ts";
import { isAnswering } from "../chat/answers.ts";
import { bridge } from "./bridge.ts";
import { setConnected } from "./connection.ts";
import { keys } from "./queries.ts";

export function followConsoleEvents(client: QueryClient): void {
  bridge.subscribe((event) => applyEvent(client, event));
}

function applyEvent(client: QueryClient, event: ConsoleEvent): void {
  const changeState = (change: (state: ConsoleState) => Partial<ConsoleState>) =>
    client.setQueryData<ConsoleState>(
      keys.state,
      (state) => state && { ...state, ...change(state) },
    );

  switch (event.event) {
    case "node.changed": {
      const { node } = event;
      const before = client.getQueryData<ConsoleState>(keys.state);
      const was = before?.nodes.find(({ id }) => id === node.id)?.state;
      changeState(({ nodes }) => ({
        nodes: nodes.some(({ id }) => id === node.id)
          ? nodes.map((old) => (old.id === node.id ? node : old))
          : [...nodes, node],
      }));
      // Asking for its status can itself change the node, so only a node that came back is asked.
      if (was !== undefined && was !== "online" && node.state === "online")
        void client.invalidateQueries({ queryKey: keys.status(node.id) });
      return;
    }
    case "node.removed":
      changeState(({ nodes }) => ({ nodes: nodes.filter(({ id }) => id !== event.node) }));
      return;
    case "demo.changed":
      changeState(() => ({ demo: event.demo }));
      return;
    case "setup.changed":
      client.setQueryData<Setup>(keys.setup, event.setup);
      return;
    case "saved.changed":
      void client.invalidateQueries({ queryKey: keys.saved });
      return;
    case "settings.changed":
      changeState(() => ({ settings: event.settings }));
      return;
    case "conversation.worker":
      client.setQueryData<Conversation>(
        keys.conversation(event.conversation),
        (conversation) => conversation && { ...conversation, worker: event.worker },
      );
      client.setQueryData<ConversationSummary[]>(keys.conversations, (list) =>
        list?.map((one) =>
          one.id === event.conversation ? { ...one, worker: event.worker } : one,
        ),
      );
      return;
    case "conversation.changed":
      void client.invalidateQueries({ queryKey: keys.conversations });
      // While this page itself hears the answer, it knows more than what it could fetch.
      if (!isAnswering(event.conversation))
        void client.invalidateQueries({ queryKey: keys.conversation(event.conversation) });
      return;
    case "conversation.removed":
      client.removeQueries({ queryKey: keys.conversation(event.conversation) });
      void client.invalidateQueries({ queryKey: keys.conversations });
      return;
    case "console.locked":
      // Everything that this page had read goes with it.
      location.reload();
      return;
    case "console.connection":
      setConnected(event.isConnected);
      // What was told while nobody listened must be asked for.
      if (event.isConnected) void client.invalidateQueries();
      return;
  }
}

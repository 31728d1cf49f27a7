/**
 * Where the page starts.
 *
 * @module
 */
import "./design/tokens.css";
import "./design/base.css";
import "./design/controls.css";
import "./design/overlays.css";
import "./app/shell.css";
import "./app/pages.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { queryClient } from "./app/queries.ts";
import { followConsoleEvents } from "./app/console-events.ts";
import { followActivity } from "./lock/activity.ts";
import { ToastGround } from "./design/toasts.tsx";
import { TooltipGround } from "./design/tooltip.tsx";
import { startTranslation } from "./i18n/i18n.ts";

startTranslation();
followConsoleEvents(queryClient);
followActivity();

const root = document.querySelector("#root");
if (root)
  createRoot(root).render(
    <QueryClientProvider client={queryClient}>
      <TooltipGround>
        <ToastGround>
          <App />
        </ToastGround>
      </TooltipGround>
    </QueryClientProvider>,
  );

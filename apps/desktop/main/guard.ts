/**
 * Puts the rules of `page-rules.ts` on the session and on every page that ever exists in it.
 *
 * @module
 */
import { app, type Session, type WebContents } from "electron";
import { mayNavigate, mayRequest, mayUse } from "./page-rules.ts";

export function guardSession(session: Session, isDeveloping: boolean): void {
  session.webRequest.onBeforeRequest(({ url }, answer) =>
    answer({ cancel: !mayRequest(url, isDeveloping) }),
  );
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(mayUse(permission, requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => mayUse(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.setSpellCheckerEnabled(false);
  session.on("will-download", (event) => event.preventDefault());
}

export function guardEveryPage(): void {
  app.on("web-contents-created", (_event, contents) => guardPage(contents));
}

function guardPage(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.on("will-navigate", (event) => {
    if (!mayNavigate(event.url)) event.preventDefault();
  });
  contents.on("will-frame-navigate", (event) => {
    if (!event.isMainFrame || !mayNavigate(event.url)) event.preventDefault();
  });
  contents.on("will-redirect", (event) => event.preventDefault());
}

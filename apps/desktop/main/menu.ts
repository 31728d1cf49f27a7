/**
 * The application's menu: what the page needs of the system, and nothing that opens it.
 *
 * @module
 */
import type { MenuItemConstructorOptions } from "electron";

export function menuTemplate(isDeveloping: boolean): MenuItemConstructorOptions[] {
  const developing: MenuItemConstructorOptions[] = [
    { type: "separator" },
    { role: "reload" },
    { role: "toggleDevTools" },
  ];
  return [
    ...(process.platform === "darwin" ? [{ role: "appMenu" } as const] : []),
    { label: "File", submenu: [{ role: process.platform === "darwin" ? "close" : "quit" }] },
    { role: "editMenu" },
    {
      label: "View",
      submenu: [
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
        { type: "separator" },
        { role: "togglefullscreen" },
        ...(isDeveloping ? developing : []),
      ],
    },
    { role: "windowMenu" },
  ];
}

/**
 * The one set of options that every window has.
 *
 * @module
 */

/** In memory: no cookie, cache or storage of the page is on the disk. */
export const PARTITION = "console";

export function windowOptions(preloadPath: string, isDeveloping: boolean) {
  return {
    width: 1200,
    height: 800,
    minWidth: 480,
    minHeight: 480,
    show: false,
    title: "Phantoma",
    webPreferences: {
      preload: preloadPath,
      partition: PARTITION,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      // Dictionaries would come from a server of Google's.
      spellcheck: false,
      navigateOnDragDrop: false,
      disableDialogs: true,
      devTools: isDeveloping,
    },
  } as const;
}

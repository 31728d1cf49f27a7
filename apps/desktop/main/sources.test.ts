import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FuseV1Options } from "@electron/fuses";
import { expect, test } from "vitest";
import { fuses } from "./fuses.ts";

const desktopDir = fileURLToPath(new URL("..", import.meta.url));
const rootDir = join(desktopDir, "../..");

/** Our sources by path, tests left out. */
const sources = new Map(
  ["ipc", "main", "preload", "renderer", "session", "web"].flatMap((folder) =>
    readdirSync(join(desktopDir, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
      .map((name) => {
        const path = `${folder}/${name}`;
        return [path, readFileSync(join(desktopDir, path), "utf8")] as const;
      }),
  ),
);

const filesWith = (pattern: RegExp) =>
  [...sources].filter(([, text]) => pattern.test(text)).map(([path]) => path);

const onlyIn: readonly [string, RegExp, readonly string[]][] = [
  ["item 2: windows are made", /new (Base|Browser)Window|new WebContentsView/, ["main/window.ts"]],
  [
    "item 4: the sandbox is switched",
    /enableSandbox|sandbox: /,
    ["main/main.ts", "main/window-options.ts"],
  ],
  ["item 5: displays are captured", /setDisplayMediaRequestHandler|desktopCapturer/, []],
  ["item 6: web security is switched off", /webSecurity: false|disable-web-security"\)/, []],
  ["item 10: Blink's features are switched", /enableBlinkFeatures/, []],
  ["item 11: pop-ups are allowed", /allowpopups/, []],
  ["item 15: addresses are opened", /openExternal\(/, ["main/open-link.ts"]],
  ["item 17: messages are received", /import \{[^}]*ipcMain/, ["main/ipc.ts"]],
  ["item 18: files are loaded into a page", /loadFile\(|file:\/\//, ["main/fuses.ts"]],
  ["item 20: messages are sent", /import \{[^}]*ipcRenderer/, ["preload/preload.ts"]],
  [
    "Electron is imported",
    /from "electron"/,
    [
      "main/choose-bundle.ts",
      "main/guard.ts",
      "main/ipc.ts",
      "main/main.ts",
      "main/menu.ts",
      "main/open-link.ts",
      "main/sealer.ts",
      "main/window.ts",
      "preload/preload.ts",
    ],
  ],
];

test.each(onlyIn)("%s only where it should be", (_name, pattern, paths) => {
  expect(filesWith(pattern).toSorted()).toEqual(paths.toSorted());
});

test("item 16: Electron's version is exact, and packed as installed", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(desktopDir, "package.json"), "utf8"));
  expect(devDependencies.electron).toMatch(/^\d+\.\d+\.\d+$/);
  const builder = readFileSync(join(rootDir, "electron-builder.yml"), "utf8");
  expect(builder).toContain(`electronVersion: ${devDependencies.electron}\n`);
});

test("item 19: every fuse that there is has been judged", () => {
  const known = Object.keys(FuseV1Options).filter((name) => !/^\d+$/.test(name));
  expect(Object.keys(fuses).toSorted()).toEqual(known.toSorted());
  expect(known).toHaveLength(9);
  expect(fuses).toMatchObject({
    RunAsNode: false,
    EnableNodeOptionsEnvironmentVariable: false,
    EnableNodeCliInspectArguments: false,
    OnlyLoadAppFromAsar: true,
    EnableEmbeddedAsarIntegrityValidation: true,
  });
});

test("the packed archive holds bundles and nothing else", () => {
  const builder = readFileSync(join(rootDir, "electron-builder.yml"), "utf8");
  expect(builder).toContain("asar: true");
  expect(builder).toContain("afterPack: apps/desktop/after-pack.ts");
  expect(builder).toContain("publish: null");
});

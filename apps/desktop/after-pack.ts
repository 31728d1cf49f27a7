/**
 * Burns the fuses into a packed binary, and refuses one that has a fuse we have not judged.
 *
 * Called by electron-builder (`afterPack` in electron-builder.yml), whose own setting knows eight.
 *
 * @module
 */
import { join } from "node:path";
import { flipFuses, FuseV1Options, FuseVersion } from "@electron/fuses";
import { fuses } from "./main/fuses.ts";

/** What is used of electron-builder's context. */
interface Packed {
  readonly appOutDir: string;
  readonly electronPlatformName: string;
  readonly packager: {
    readonly appInfo: { readonly productFilename: string };
    readonly executableName?: string;
  };
}

// oxlint-disable-next-line import/no-default-export -- electron-builder looks for it
export default async function afterPack(packed: Packed): Promise<void> {
  const burnt = Object.entries(fuses).map(([name, isOn]) => [
    FuseV1Options[name as keyof typeof fuses],
    isOn,
  ]);
  await flipFuses(binaryPath(packed), {
    version: FuseVersion.V1,
    strictlyRequireAllFuses: true,
    ...(Object.fromEntries(burnt) as Record<FuseV1Options, boolean>),
  });
}

function binaryPath({ appOutDir, electronPlatformName, packager }: Packed): string {
  const { productFilename } = packager.appInfo;
  switch (electronPlatformName) {
    case "darwin":
      return join(appOutDir, `${productFilename}.app`);
    case "win32":
      return join(appOutDir, `${productFilename}.exe`);
    default:
      return join(appOutDir, packager.executableName ?? productFilename);
  }
}

/**
 * The nine fuses of Electron's binary, burnt when it is packed and read back afterwards.
 *
 * @module
 */

/** Each with its reason. The names are those of `FuseV1Options` in @electron/fuses. */
export const fuses = {
  /** The binary is not a Node that runs anybody's script with our name and keys. */
  RunAsNode: false,
  /** There are no cookies; should a library make one, it is not readable on the disk. */
  EnableCookieEncryption: true,
  /** An environment variable does not load code into the console. */
  EnableNodeOptionsEnvironmentVariable: false,
  /** Nobody attaches a debugger to a release. */
  EnableNodeCliInspectArguments: false,
  /** A changed app.asar does not start (macOS, Windows; Linux has no such check). */
  EnableEmbeddedAsarIntegrityValidation: true,
  /** A folder called `app` beside the archive is not run instead of it. */
  OnlyLoadAppFromAsar: true,
  /** One snapshot for all processes: we ship none of our own. */
  LoadBrowserProcessSpecificV8Snapshot: false,
  /** file:// pages have no powers, and there are none. */
  GrantFileProtocolExtraPrivileges: false,
  /** Faster and as safe; Electron's default. */
  WasmTrapHandlers: true,
} as const;

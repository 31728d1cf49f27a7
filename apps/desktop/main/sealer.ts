/**
 * Electron's safeStorage as the session's {@link Sealer}.
 *
 * @module
 */
import { safeStorage } from "electron";
import type { Sealer } from "../session/key-store.ts";

export const electronSealer: Sealer = {
  backend: () =>
    process.platform === "linux" ? safeStorage.getSelectedStorageBackend() : process.platform,
  isAvailable: () => safeStorage.isAsyncEncryptionAvailable(),
  seal: (text) => safeStorage.encryptStringAsync(text),
  open: async (sealed) => (await safeStorage.decryptStringAsync(sealed)).result,
};

/**
 * What a cipher or a signature refused, in the words of a vault.
 *
 * @module
 */
import { CryptoError } from "@phantoma/crypto";
import { VaultError } from "./vault-error.ts";

/** @throws {@link VaultError} instead of the cipher's own error */
export function genuine<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const isDamaged = error.code === "ERR_LENGTH" || error.code === "ERR_TRUNCATED";
    throw new VaultError(isDamaged ? "ERR_VAULT_DAMAGED" : "ERR_VAULT_FORGED", error.message);
  }
}

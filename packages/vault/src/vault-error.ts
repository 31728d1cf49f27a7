/**
 * Every failure of a vault, as a code with one thing to do about it. None quotes what is saved.
 *
 * @module
 */
export const vaultAdvice = {
  /** A hash, signature, commitment or tag is wrong: the node, a disk or somebody between changed it. */
  ERR_VAULT_FORGED: "do not rely on the node's copy; what is saved on this machine is unharmed",
  /** Sealed bytes that are too short, too long or cut off. */
  ERR_VAULT_DAMAGED: "sync again; if it persists, the node's disk or somebody there changed it",
  /** The node shows an earlier state than one that this device has seen. */
  ERR_VAULT_ROLLED_BACK: "do not rely on the node's copy; ask whoever restored it from a backup",
  /** Two histories that do not continue each other. */
  ERR_VAULT_FORKED: "do not rely on the node; compare what your devices list",
  /** The vault's key was never wrapped to this device. */
  ERR_VAULT_KEY: "have one of your other devices admit this one: phantoma vault admit",
  ERR_VAULT_NOT_JOINED: "name the device that admitted this one: phantoma vault join NAME",
  /** A device of the vault has published no key to wrap to. */
  ERR_VAULT_CARD: "run phantoma vault join on the new device first",
  ERR_VAULT_MEMBERS: "revoke a device that you no longer use; a vault has at most 16",
  /** The vault is kept on another node. */
  ERR_VAULT_OTHER_NODE: "sync with the node that keeps it, or leave it first: phantoma vault leave",
  ERR_VAULT_TOO_LARGE: "export it as a file; a saved conversation has at most 500,000 bytes",
  ERR_VAULT_FULL: "delete saved conversations that you no longer need",
  ERR_VAULT_UNKNOWN: "list what is saved",
  /** Others commit faster than this device. */
  ERR_VAULT_CONFLICT: "sync again",
  /** The store on this machine cannot be opened with this device's key. */
  ERR_VAULT_STORE: "restore a backup; another device's key or a changed file cannot be opened",
  ERR_VAULT_IN_USE: "close the other program that has the saved conversations open",
  ERR_VAULT_FILE: "give a file that phantoma vault export or backup wrote, whole and unchanged",
  ERR_VAULT_PASSPHRASE: "give the passphrase that the backup was made with",
} as const satisfies Record<string, string>;

export type VaultErrorCode = keyof typeof vaultAdvice;

export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;

  constructor(code: VaultErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The one thing to do about it. */
  get action(): string {
    return vaultAdvice[this.code];
  }
}

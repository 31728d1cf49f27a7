/**
 * English: the console's lock.
 *
 * @module
 */
export const lock = {
  title: "Locked",
  text: "The console has let go of this device's key and of every conversation.",
  passphrase: "Passphrase",
  keyring:
    "The system's key store opens it with one click: anybody at this desktop can, while it is unlocked. A passphrase, set in the settings, would keep them out.",
  open: "Unlock",
  settings: "Lock",
  meaning:
    "Locking ends every worker, lets go of the device's key and discards the page. Conversations that were not saved are gone.",
  opensWith: {
    keyring:
      "Opens with the system's key store: anybody at this desktop, while it is unlocked, opens it with one click. Set a passphrase to keep them out.",
    passphrase: "Opens with your passphrase, and with nothing else.",
    nothing:
      "Without a passphrase a lock would only pretend: whoever reads this device's files has its key. Set one first.",
    unopened:
      "The stored key was not opened; the one in use is for this run only. Unlock the system's key store and restart the console. Until then nothing can be locked, and no passphrase can be set.",
  },
  idle: "Lock when nobody is there",
  after: {
    never: "Never",
    five: "After 5 minutes",
    fifteen: "After 15 minutes",
    hour: "After an hour",
  },
  now: "Lock now",
  currentPassphrase: "Passphrase until now",
  newPassphrase: "New passphrase",
  passphraseHint:
    "12 characters or more. It seals this device's key. If it is forgotten, the device must be paired anew.",
  setPassphrase: "Set the passphrase",
  passphraseSet: "The passphrase is set.",
} as const;

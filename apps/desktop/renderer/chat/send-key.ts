/**
 * Whether a key sends. Enter that confirms an input method's choice must not.
 *
 * @module
 */

export interface Key {
  readonly key: string;
  readonly keyCode: number;
  readonly isComposing: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** What browsers report for a key that the input method has taken. */
const IME_KEY_CODE = 229;

export function isSendKey({ key, keyCode, isComposing, shiftKey, altKey }: Key): boolean {
  if (isComposing || key === "Process" || keyCode === IME_KEY_CODE) return false;
  return key === "Enter" && !shiftKey && !altKey;
}

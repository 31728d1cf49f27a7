/**
 * Why a signed order is refused, in the warden's own words.
 *
 * @module
 */
import type { CryptoError } from "@phantoma/crypto";
import type { OrderRefusal } from "../ipc/keeper-link.ts";

/** The warden's own codes: the same document is refused for the same reason by both. */
export function orderRefusalOf({ code }: CryptoError): OrderRefusal {
  switch (code) {
    case "ERR_LENGTH":
    case "ERR_DOCUMENT_TYPE":
    case "ERR_DOCUMENT_FIELD":
    case "ERR_NOT_AUTHORISED":
    case "ERR_AUTHENTICATION":
      return code;
    default:
      return "ERR_DOCUMENT_FIELD";
  }
}

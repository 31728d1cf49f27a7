/**
 * Whether a ticket is genuine: asked by the gateway to spare work, and by the keeper to be sure.
 *
 * @module
 */
import {
  CryptoError,
  documentHash,
  sameBytes,
  TICKET_BYTES,
  ticketDocument,
  type Device,
  type DeviceList,
  type Ticket,
} from "@phantoma/crypto";

export type TicketFault = "ERR_TICKET_MALFORMED" | "ERR_TICKET_REFUSED" | "ERR_DEVICE_REVOKED";

export interface GenuineTicket {
  readonly ticket: Ticket;
  readonly device: Device;
  readonly hash: Uint8Array;
}

/** One signature check at most; a stranger's ticket costs a list look-up only. */
export function checkTicket(
  untrusted: Uint8Array,
  node: Uint8Array,
  devices: DeviceList,
): GenuineTicket | TicketFault {
  if (untrusted.length !== TICKET_BYTES) return "ERR_TICKET_MALFORMED";
  let device: Device | undefined;
  try {
    const ticket = ticketDocument.open(untrusted, (unverified) => {
      if (!sameBytes(unverified.node, node)) return undefined;
      device = devices.devices.find((d) => sameBytes(d.signingKey, unverified.device));
      return device?.signingKey;
    });
    if (!device) return "ERR_TICKET_REFUSED";
    if (device.revokedAt !== null) return "ERR_DEVICE_REVOKED";
    return { ticket, device, hash: documentHash(untrusted) };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const isForeign = error.code === "ERR_NOT_AUTHORISED" || error.code === "ERR_AUTHENTICATION";
    return isForeign ? "ERR_TICKET_REFUSED" : "ERR_TICKET_MALFORMED";
  }
}

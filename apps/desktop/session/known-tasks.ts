/**
 * The tasks of this console, by what their connections proved: a receipt is compared with it.
 *
 * @module
 */
import { assertReceiptOf } from "@phantoma/client";
import type { Certificate, DeviceIdentity, Receipt } from "@phantoma/crypto";
import type { NodeClient } from "./node-client.ts";

/** As many receipts as a node gives at once, ten times over; an older task is one that is not known. */
const MAX_KNOWN_TASKS = 1_000;

export class KnownTasks {
  readonly #device: DeviceIdentity;
  readonly #certificates = new Map<string, Certificate>();

  constructor(device: DeviceIdentity) {
    this.#device = device;
  }

  /** The same client; what it opens is remembered. */
  watching(client: NodeClient): NodeClient {
    return {
      openConversation: async (options) => {
        const live = await client.openConversation(options);
        this.#remember(live.certificate);
        return live;
      },
      openControl: (options) => client.openControl(options),
      startNode: (options) => client.startNode(options),
      resolveModel: (source) => client.resolveModel(source),
      pushModel: (file, options) => client.pushModel(file, options),
    };
  }

  /**
   * Whether the receipt is of a task of this console.
   *
   * @throws `ClientError` `ERR_NODE_IDENTITY` when it says something else of it than its connection proved
   */
  has(receipt: Receipt): boolean {
    const certificate = this.#certificates.get(name(receipt.task));
    if (!certificate) return false;
    assertReceiptOf(receipt, certificate, this.#device);
    return true;
  }

  #remember(certificate: Certificate): void {
    this.#certificates.set(name(certificate.ticket), certificate);
    const [oldest] = this.#certificates.keys();
    if (this.#certificates.size > MAX_KNOWN_TASKS) this.#certificates.delete(oldest!);
  }
}

function name(task: Uint8Array): string {
  return Buffer.from(task).toString("hex");
}

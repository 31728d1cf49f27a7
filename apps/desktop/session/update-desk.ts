/**
 * Reports and updates of the nodes, as the page asks for them: heartbeats byte for byte, and a release that waits,
 * verified here with the console's own verifier.
 *
 * @module
 */
import {
  signStandingOrder,
  signUpdateApproval,
  signUpdatePolicy,
  type Update,
} from "@phantoma/client";
import {
  heartbeatDocument,
  licenceDocument,
  type DeviceIdentity,
  type Heartbeat,
  type Licence,
} from "@phantoma/crypto";
import {
  chooseAnchor,
  newerOnNode,
  NodeRelease,
  ReleaseError,
  verifyRelease,
  type NodePlace,
} from "@phantoma/release";
import type { Reporting, UpdateView } from "../ipc/updates.ts";
import { DesktopError } from "./desktop-error.ts";
import type { NodeBook } from "./node-book.ts";
import type { LiveControl } from "./node-client.ts";

const DAY_MS = 86_400_000;
/** The installer starts at once; the rest is for a node that is restarted. */
const APPROVAL_MS = DAY_MS;
/** A person decides again once a year. */
const POLICY_MS = 365 * DAY_MS;

export interface UpdateDeskOptions {
  readonly book: NodeBook;
  readonly device: DeviceIdentity;
  /** What was seen of releases, so that an older one is refused later. */
  readonly releasesDir: string;
}

type Waiting = NonNullable<UpdateView["waiting"]>;
type OnNode = Update["fetched"][number] & { readonly place: NodePlace };

export class UpdateDesk {
  readonly #options: UpdateDeskOptions;

  constructor(options: UpdateDeskOptions) {
    this.#options = options;
  }

  async reporting(node: string): Promise<Reporting> {
    const { order, sent, licences } = await this.#options.book.watch(node, (control) =>
      control.reporting(),
    );
    const places = order?.endpoints ?? [];
    return {
      order: order && places.length > 0 ? { notAfter: order.notAfter, places } : null,
      sent: sent.map(({ at, document, outcome }) => {
        const bytes = Buffer.from(document, "base64");
        const { sequence, rootVersion, targetsVersion, health } = fieldsOf<Heartbeat>(
          heartbeatDocument,
          bytes,
        );
        const said = { sequence: String(sequence), rootVersion, targetsVersion, health };
        return { at, outcome, hex: bytes.toString("hex"), ...said };
      }),
      licences: licences.map(({ document, standing }) => {
        const bytes = Buffer.from(document, "base64");
        const { edition, holder, notAfter } = fieldsOf<Licence>(licenceDocument, bytes);
        return { standing, edition, holder, notAfter };
      }),
    };
  }

  /** Nothing is sent from now on; licences of the same control plane stay good. */
  async stopReporting(node: string): Promise<void> {
    const { book, device } = this.#options;
    const nodeKey = Buffer.from(book.usable(node).nodeKey, "hex");
    await book.ask(node, async (control) => {
      const [{ nodeTime }, { order, highestCounter }] = await Promise.all([
        control.status(),
        control.reporting(),
      ]);
      const controlPlane = Buffer.from(order?.controlPlane ?? "0".repeat(64), "hex");
      const silence = { node: nodeKey, endpoints: [], controlPlane, highestCounter, nodeTime };
      await control.submitStandingOrder(
        signStandingOrder(device, { ...silence, lifetimeMs: POLICY_MS }),
      );
    });
  }

  async takeLicence(node: string, file: Uint8Array): Promise<void> {
    this.#options.book.usable(node);
    await this.#options.book.ask(node, (control) => control.submitLicence(documentIn(file)));
  }

  update(node: string): Promise<UpdateView> {
    return this.#options.book.watch(node, async (control) => {
      const { version, policy, outcome } = await control.update();
      return {
        version,
        isAutomatic: policy?.mode === "automatic",
        outcome: outcome && { version: outcome.version, error: outcome.error, at: outcome.at },
        waiting: await this.#waiting(control),
      };
    });
  }

  /** Verifies it once more, and signs exactly what was shown. */
  async approve(node: string, sha256: string): Promise<void> {
    const { book, device } = this.#options;
    const nodeKey = Buffer.from(book.usable(node).nodeKey, "hex");
    await book.ask(node, async (control) => {
      const waiting = await this.#waiting(control);
      if (waiting?.sha256 !== sha256 || waiting.refusal !== null)
        throw new DesktopError("ERR_PROPOSAL_UNKNOWN", "this is not what was looked at last");
      const [{ nodeTime }, { highestCounter }] = await Promise.all([
        control.status(),
        control.update(),
      ]);
      const { version } = waiting;
      // As this session was certified with; what the node says runs is only its word.
      const { release } = control;
      const order = { node: nodeKey, highestCounter, nodeTime, lifetimeMs: APPROVAL_MS };
      // Before it counts: the node may be another one a moment later.
      book.takesRelease(node, { release, approvedRelease: sha256 });
      await control.approveUpdate(signUpdateApproval(device, { ...order, version, sha256 }));
    });
  }

  async setPolicy(node: string, isAutomatic: boolean): Promise<void> {
    const { book, device } = this.#options;
    const nodeKey = Buffer.from(book.usable(node).nodeKey, "hex");
    await book.ask(node, async (control) => {
      const [{ nodeTime }, { highestCounter }] = await Promise.all([
        control.status(),
        control.update(),
      ]);
      const mode = isAutomatic ? "automatic" : "ask";
      const order = {
        node: nodeKey,
        highestCounter,
        nodeTime,
        lifetimeMs: POLICY_MS,
        mode,
      } as const;
      await control.submitUpdatePolicy(signUpdatePolicy(device, order));
    });
  }

  /**
   * What is newer than what runs, and what this machine finds of it: the newest that is a release, since others may lie
   * there which were fetched or pushed and verified by nobody. Where none is, the newest and why not.
   */
  async #waiting(control: LiveControl): Promise<Waiting | null> {
    let newest: Waiting | null = null;
    for (const one of newerOnNode(await control.update())) {
      const found = await this.#verified(control, one);
      if (found.refusal === null) return found;
      newest ??= found;
    }
    return newest;
  }

  async #verified(control: LiveControl, held: OnNode): Promise<Waiting> {
    const { name, version, sha256, bytes, place } = held;
    const shown = { version, sha256, bytes };
    try {
      const { record, checks } = await verifyRelease({
        anchor: chooseAnchor(undefined),
        source: new NodeRelease(control, place),
        stateDir: this.#options.releasesDir,
        name,
      });
      const isIt = record.sha256 === sha256 && record.version === version;
      const refusal = isIt ? null : OTHER_FILE;
      return {
        ...shown,
        checks: checks.map(({ name: what, detail }) => ({ name: what, detail })),
        refusal,
      };
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      const { code, message, action, passed } = error;
      return { ...shown, checks: [...passed], refusal: { code, message, action } };
    }
  }
}

const OTHER_FILE = {
  code: "ERR_DIGEST",
  message: "the file on the node is not the one that was signed",
  action: "do not install it; fetch the file again",
};

/** To be shown only: the node's own word. */
function fieldsOf<T>(
  kind: { open(untrusted: Uint8Array, findKey: (unverified: T) => undefined): T },
  document: Uint8Array,
): T {
  let fields: T | undefined;
  try {
    return kind.open(document, (unverified) => void (fields = unverified));
  } catch (error) {
    if (fields === undefined) throw error;
    return fields;
  }
}

/** As the control plane answers it, in JSON or base64, or as its bytes. */
function documentIn(file: Uint8Array): Buffer {
  const bytes = Buffer.from(file);
  const text = bytes.toString("latin1").trim();
  const found = /"document"\s*:\s*"([A-Za-z0-9+/=]+)"/.exec(text)?.[1];
  if (found !== undefined) return Buffer.from(found, "base64");
  return /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, "base64") : bytes;
}

/**
 * The console without a shell: everything that the page may ask, answered in plain Node.
 *
 * Electron's main process and the web console each make one and connect it to their page.
 *
 * @module
 */
import { receiptPage } from "@phantoma/client";
import type { SavedConversation } from "@phantoma/vault";
import type { ConsoleEvent, ConsoleState } from "../ipc/contract.ts";
import type { Conversation, Worker } from "../ipc/conversation.ts";
import type { RequestName } from "../ipc/contract.ts";
import type { RequestHandlers, StreamHandlers } from "../ipc/router.ts";
import { ConversationShelf } from "./conversation-shelf.ts";
import { DemoNode, type DemoPlace } from "./demo.ts";
import { DesktopError } from "./desktop-error.ts";
import { DeviceDesk } from "./device-desk.ts";
import { EndpointSwitch } from "./endpoint-switch.ts";
import { HeldConversation } from "./held-conversation.ts";
import { JoinDesk } from "./join-desk.ts";
import { KitDesk } from "./kit-desk.ts";
import { KnownTasks } from "./known-tasks.ts";
import type { OpenKeyStore } from "./key-store.ts";
import { ModelDesk } from "./model-desk.ts";
import { NodeBook } from "./node-book.ts";
import { realClient, type NodeClient } from "./node-client.ts";
import { makePrivateDir } from "./private-file.ts";
import { saveReceipts } from "./receipt-export.ts";
import { receiptView } from "./receipt-view.ts";
import { awaitReceipt } from "./receipts.ts";
import { SavedShelf, type VaultPlace } from "./saved-shelf.ts";
import { SettingsFile } from "./settings.ts";
import { SetupWizard, type SetupWizardOptions } from "./setup/setup-wizard.ts";
import { UpdateDesk } from "./update-desk.ts";
import { WorkerLink, type LinkOptions } from "./worker-link.ts";

export interface ConsoleSessionOptions {
  readonly version: string;
  readonly shell: ConsoleState["shell"];
  readonly homeDir: string;
  readonly keyStore: OpenKeyStore;
  readonly demo: DemoPlace;
  /** Asks the person and opens an address; absent where the shell cannot. */
  readonly openLink?: (url: string) => Promise<boolean>;
  /** Where every answer ends at the latest. */
  readonly maxAnswerTokens?: number;
  readonly client?: NodeClient;
  /** Where other programs ask, when a person lets them. */
  readonly endpointPort?: number;
  /** The release that a server is set up with, where a person names no other. */
  readonly release?: SetupWizardOptions["release"];
  /** The shell's own dialog to name one; absent where the shell has none. */
  readonly chooseBundle?: () => Promise<string | undefined>;
}

/** Asked of what is around the session: `lockable-console.ts`. */
export type LockRequest = Extract<RequestName, `lock.${string}`>;

/** An answer may go on at length, but not for ever: some small models never end by themselves. */
const MAX_ANSWER_TOKENS = 2048;

export class ConsoleSession {
  readonly #options: ConsoleSessionOptions;
  readonly #client: NodeClient;
  readonly #tasks: KnownTasks;
  readonly #listeners = new Set<(event: ConsoleEvent) => void>();
  readonly #shelf = new ConversationShelf();
  readonly #book: NodeBook;
  readonly #demo: DemoNode;
  readonly #desk: ModelDesk;
  readonly #devices: DeviceDesk;
  readonly #joins: JoinDesk;
  readonly #kits: KitDesk;
  readonly #updates: UpdateDesk;
  readonly #endpoint: EndpointSwitch;
  readonly #settings: SettingsFile;
  readonly #setup: SetupWizard;
  readonly #saved: SavedShelf;

  constructor(options: ConsoleSessionOptions) {
    const { homeDir, keyStore, demo: place } = options;
    const { device } = keyStore;
    this.#tasks = new KnownTasks(device);
    const client = this.#tasks.watching(options.client ?? realClient);
    makePrivateDir(homeDir);
    this.#options = options;
    this.#client = client;
    this.#settings = new SettingsFile(`${homeDir}/settings.json`);
    this.#saved = new SavedShelf(homeDir, device, () => this.#tell({ event: "saved.changed" }));
    this.#book = new NodeBook({
      homeDir,
      openControl: (node) => client.openControl({ ...node, device }),
      onChanged: (node) => this.#tell({ event: "node.changed", node }),
      onRemoved: (node) => this.#tell({ event: "node.removed", node }),
    });
    const onChanged = (demo: ConsoleState["demo"]) => this.#tell({ event: "demo.changed", demo });
    const { endpointPort: port } = options;
    this.#endpoint = new EndpointSwitch({
      homeDir,
      device,
      usable: (node) => this.#book.usable(node),
      following: (node) => this.#book.following(node),
      ...(port !== undefined && { port }),
    });
    this.#desk = new ModelDesk({ book: this.#book, client, device });
    this.#devices = new DeviceDesk({ homeDir, book: this.#book, device });
    this.#joins = new JoinDesk({
      book: this.#book,
      device,
      devices: this.#devices,
      saved: this.#saved,
    });
    this.#kits = new KitDesk(homeDir, this.#book, this.#devices, this.#saved);
    const releasesDir = `${homeDir}/releases`;
    this.#updates = new UpdateDesk({ book: this.#book, device, releasesDir });
    this.#demo = new DemoNode({ client, device, place, book: this.#book, onChanged });
    this.#setup = new SetupWizard({
      homeDir,
      device,
      version: options.version,
      book: this.#book,
      release: options.release ?? {},
      chooseBundle: options.chooseBundle,
      onChanged: (setup) => this.#tell({ event: "setup.changed", setup }),
    });
  }

  /** @returns the function that ends the subscription */
  subscribe(listener: (event: ConsoleEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly requests: Omit<RequestHandlers, LockRequest> = {
    "console.state": async () => {
      const { version, shell, keyStore } = this.#options;
      const settings = this.#settings.get();
      const nodes = this.#book.list();
      return { version, shell, keyStore: keyStore.view, nodes, demo: this.#demo.state, settings };
    },
    "demo.start": () => this.#demo.start(),
    "nodes.confirm": async ({ node }) => this.#book.confirm(node),
    "nodes.forget": async ({ node }) => {
      await this.#forget(node);
      return {};
    },
    "nodes.status": async ({ node }) => {
      const [status, models, role] = await this.#book.watch(node, (control) =>
        Promise.all([control.status(), control.models(), this.#devices.role(node, control)]),
      );
      const { policy } = status;
      const before = this.#book.view(node);
      if (before.policy !== policy || before.role !== role)
        this.#book.change(node, { policy, role });
      return { node: this.#book.view(node), status, models };
    },
    "conversations.list": async () => ({ conversations: this.#shelf.list() }),
    "conversations.create": async ({ node, model, mode }) => {
      this.#book.usable(node);
      this.#shelf.assertRoom();
      const models = await this.#book.watch(node, (control) => control.models());
      const found = models.find(({ digest }) => digest === model);
      const name = found?.name ?? model.slice(0, 12);
      const held = this.#hold(node, { digest: model, name }, mode);
      return held.full();
    },
    "conversations.get": async ({ conversation }) => this.#shelf.get(conversation).full(),
    "conversations.rename": async ({ conversation, title }) => {
      const held = this.#shelf.get(conversation);
      held.rename(title);
      return held.summary();
    },
    "conversations.remove": async ({ conversation }) => {
      await this.#remove(conversation);
      return {};
    },
    "conversations.setDraft": async ({ conversation, text }) => {
      this.#shelf.get(conversation).draft = text;
      return {};
    },
    "conversations.setHead": async ({ conversation, message }) => ({
      head: this.#shelf.get(conversation).setHead(message),
    }),
    "chat.end": async ({ conversation }) => {
      const held = this.#shelf.get(conversation);
      const task = await held.end();
      if (!task) return { receipt: null };
      const { nodeId } = held;
      return {
        receipt: await this.#book.ask(nodeId, (control) =>
          awaitReceipt(control, task, this.#tasks),
        ),
      };
    },
    "receipts.list": async ({ node, before }) => {
      const [page, role] = await this.#book.ask(node, (control) =>
        Promise.all([receiptPage(control, before), this.#devices.role(node, control)]),
      );
      // Others are given their own only: what is between are other devices'.
      const gaps = role === "admin" ? page.gaps : [];
      return {
        receipts: page.receipts.map((one) => receiptView(one, this.#tasks.has(one.receipt))),
        missing: gaps.map(({ epoch, from, to }) => ({ epoch, from: Number(from), to: Number(to) })),
        next: page.next,
      };
    },
    "receipts.export": async ({ node, task, before }) => {
      const signed = await this.#book.ask(node, async (control) =>
        task === null
          ? (await receiptPage(control, before)).receipts
          : control.receipts({ task: Buffer.from(task, "hex"), limit: 1 }),
      );
      return { path: saveReceipts(this.#options.homeDir, this.#book.usable(node), signed) };
    },
    "receipts.get": async ({ node, task }) => {
      const query = { task: Buffer.from(task, "hex"), limit: 1 };
      const [signed] = await this.#book.ask(node, (control) => control.receipts(query));
      return { receipt: signed ? receiptView(signed, this.#tasks.has(signed.receipt)) : null };
    },
    "egress.read": ({ node, after, limit }) =>
      this.#book.watch(node, (control) => control.egress({ after, limit })),
    "doctor.read": ({ node }) => this.#book.watch(node, (control) => control.doctor()),
    "reporting.read": ({ node }) => this.#updates.reporting(node),
    "reporting.stop": async ({ node }) => {
      await this.#updates.stopReporting(node);
      return {};
    },
    "licences.take": async ({ node, document }) => {
      await this.#updates.takeLicence(node, Buffer.from(document, "base64"));
      return {};
    },
    "updates.read": ({ node }) => this.#updates.update(node),
    "updates.approve": async ({ node, sha256 }) => {
      await this.#updates.approve(node, sha256);
      return {};
    },
    "updates.setPolicy": async ({ node, isAutomatic }) => {
      await this.#updates.setPolicy(node, isAutomatic);
      return {};
    },
    "window.get": ({ node }) => this.#desk.window(node),
    "window.propose": ({ node, address, digest }) => this.#desk.propose(node, address, digest),
    "window.open": ({ node, proposal, minutes }) => this.#desk.open(node, proposal, minutes),
    "window.close": async ({ node }) => {
      await this.#desk.close(node);
      return {};
    },
    "models.remove": async ({ node, digest }) => {
      await this.#desk.remove(node, digest);
      return {};
    },
    "models.verify": async ({ node, digest }) => ({
      isWhole: await this.#desk.verify(node, digest),
    }),
    "models.part": async ({ push, part }) => {
      this.#desk.handOver(push, part);
      return {};
    },
    "saved.list": async ({ query }) => this.#saved.list(query),
    "saved.save": async ({ conversation }) => {
      this.#saved.save(this.#shelf.get(conversation).full());
      return {};
    },
    "saved.open": ({ saved, node }) => this.#openSaved(saved, node),
    "saved.delete": async ({ saved }) => {
      this.#saved.delete(saved);
      return {};
    },
    "saved.export": async ({ saved, format }) => ({ path: this.#saved.export(saved, format) }),
    "saved.import": async ({ text }) => ({ imported: this.#saved.import(text) }),
    "saved.sync": ({ node }) => this.#atVault(node, (at) => this.#saved.sync(at)),
    "saved.devices": async ({ node }) => {
      this.#book.usable(node);
      return this.#book.watch(node, async (control) =>
        this.#saved.others(await this.#devices.current(node, control)),
      );
    },
    "saved.admit": ({ node, device }) => this.#atVault(node, (at) => this.#saved.sync(at, device)),
    "saved.join": async ({ node, device }) => {
      await this.#atVault(node, (at) => this.#saved.join(at, device));
      return {};
    },
    "devices.list": ({ node }) => this.#devices.list(node),
    "devices.invite": ({ node }) => this.#devices.invite(node),
    "devices.look": ({ node, code }) => this.#devices.look(node, code),
    "devices.add": ({ node, name, role }) => this.#devices.add(node, name, role),
    "devices.refuse": async ({ node }) => {
      this.#devices.refuse(node);
      return {};
    },
    "devices.rename": ({ node, device, name }) => this.#devices.rename(node, device, name),
    "devices.setRole": ({ node, device, role }) => this.#devices.setRole(node, device, role),
    "devices.revoke": ({ node, device }) => this.#devices.revoke(node, device),
    "devices.compare": ({ node, device }) => this.#devices.compare(node, device),
    "pairing.join": ({ invitation, name }) => this.#joins.join(invitation, name),
    "pairing.accept": () => this.#joins.accept(),
    "pairing.leave": async () => {
      this.#joins.leave();
      return {};
    },
    "recovery.make": ({ node, passphrase }) => this.#kits.make(node, passphrase),
    "recovery.check": ({ node, kit, passphrase }) => this.#kits.check(node, kit, passphrase),
    "recovery.open": ({ kit, passphrase }) => this.#joins.openKit(kit, passphrase),
    "recovery.restore": ({ name, lost }) => this.#joins.restore(name, lost),
    "setup.get": async () => this.#setup.setup,
    "setup.begin": async ({ address }) => this.#setup.begin(address),
    "setup.confirmKey": async ({ pasted }) => this.#setup.confirmKey(pasted),
    "setup.forgetKey": async () => this.#setup.forgetKey(),
    "setup.signIn": async (input) => this.#setup.signIn(input),
    "setup.answer": async ({ answers }) => this.#setup.answer(answers),
    "setup.lookAgain": async () => this.#setup.lookAgain(),
    "setup.plan": async () => this.#setup.plan(),
    "setup.chooseRelease": async () => this.#setup.chooseRelease(),
    "setup.install": async (plan) => this.#setup.install(plan),
    "setup.goOn": async () => this.#setup.goOn(),
    "setup.cancel": async () => this.#setup.cancel(),
    "setup.listRemovals": async () => this.#setup.listRemovals(),
    "setup.remove": async () => this.#setup.remove(),
    "setup.leave": async () => this.#setup.leave(),
    "setup.diagnostics": async () => ({ text: this.#setup.diagnostics() }),
    "endpoint.get": async () => this.#endpoint.view,
    "endpoint.set": ({ node }) => this.#endpoint.set(node),
    "endpoint.key": async () => ({ key: this.#endpoint.key() }),
    "settings.get": async () => this.#settings.get(),
    "settings.set": async (change) => {
      const settings = this.#settings.set(change);
      this.#tell({ event: "settings.changed", settings });
      return settings;
    },
    "links.open": async ({ url }) => {
      const { openLink } = this.#options;
      if (!openLink) throw new DesktopError("ERR_NOT_HERE", "a browser's page opens no links");
      return { wasOpened: await openLink(url) };
    },
  };

  readonly streams: StreamHandlers = {
    "chat.answer": (input, send, signal) =>
      this.#shelf.get(input.conversation).answer(input, send, signal),
    "models.push": (input, send, signal) => this.#desk.push(input, send, signal),
  };

  /** Ends every worker and the demo node. Nothing of a conversation is left but what was saved. */
  async close(): Promise<void> {
    this.#joins.leave();
    this.#setup.close();
    await this.#endpoint.set(null);
    await this.#shelf.endAll();
    await this.#demo.stop();
    this.#saved.close();
    this.#book.close();
    this.#listeners.clear();
  }

  #hold(
    nodeId: string,
    model: { digest: string; name: string },
    mode: "conversation" | "turn",
    saved?: SavedConversation,
  ): HeldConversation {
    const book = this.#book;
    book.usable(nodeId);
    const { keyStore, maxAnswerTokens = MAX_ANSWER_TOKENS } = this.#options;
    const { device } = keyStore;
    const digest = Buffer.from(model.digest, "hex");
    const options: LinkOptions = {
      // Under the key that it has when a worker is opened.
      get profile() {
        return book.usable(nodeId);
      },
      follow: book.following(nodeId),
      device,
      model: digest,
      mode,
    };
    const held: HeldConversation = new HeldConversation({
      nodeId,
      model,
      mode,
      maxAnswerTokens,
      ...(saved && { saved }),
      makeLink: (onWorker) => new WorkerLink(this.#client, options, onWorker),
      onWorker: (worker) => this.#workerMoved(held, worker),
      onChanged: () => this.#tell({ event: "conversation.changed", conversation: held.id }),
      onUnreachable: (error) => this.#book.missed(nodeId, error),
    });
    this.#shelf.add(held);
    this.#tell({ event: "conversation.changed", conversation: held.id });
    return held;
  }

  #atVault<T>(node: string, act: (at: VaultPlace) => Promise<T>): Promise<T> {
    this.#book.usable(node);
    return this.#book.ask(node, async (control) => {
      const devices = await this.#devices.current(node, control);
      return act({ node, link: control.vault, devices });
    });
  }

  /** With the model that it was said with, or the node's first where that is not there. */
  async #openSaved(id: string, node: string): Promise<Conversation> {
    if (this.#shelf.has(id)) return this.#shelf.get(id).full();
    const saved = this.#saved.get(id);
    this.#book.usable(node);
    this.#shelf.assertRoom();
    const models = await this.#book.watch(node, (control) => control.models());
    const model = models.find(({ name }) => name === saved.model) ?? models[0];
    if (!model) throw new DesktopError("ERR_NO_MODEL", "the node has no model");
    const { digest, name } = model;
    return this.#hold(node, { digest, name }, saved.mode, saved).full();
  }

  #workerMoved({ id, nodeId }: HeldConversation, worker: Worker): void {
    if (worker.state === "live") this.#book.reached(nodeId);
    this.#tell({ event: "conversation.worker", conversation: id, worker });
  }

  async #remove(conversation: string): Promise<void> {
    await this.#shelf.remove(conversation);
    this.#tell({ event: "conversation.removed", conversation });
  }

  async #forget(node: string): Promise<void> {
    this.#book.view(node);
    await this.#endpoint.forget(node);
    for (const { id } of this.#shelf.ofNode(node)) await this.#remove(id);
    if (this.#demo.state.nodeId === node) await this.#demo.stop();
    this.#desk.forget(node);
    this.#book.forget(node);
  }

  #tell(event: ConsoleEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

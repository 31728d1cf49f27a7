/**
 * Makes a server a node, as a person in front of the page goes through it; `ipc/setup.ts` has the states.
 *
 * What a state does not wait for is refused. What was begun and then cancelled is never heard of again. Passwords and
 * keys are held while they are needed, by this process only.
 *
 * @module
 */
import { join } from "node:path";
import { Secret } from "@phantoma/crypto";
import {
  Access,
  isFit,
  KnownHosts,
  listRemovals,
  nodeNameOf,
  parseTarget,
  preflight,
  ProvisionError,
  removeSetUpFolder,
  SshConnection,
  stopRun,
  takeAway,
  type RootShell,
  type Target,
  type Way,
} from "@phantoma/provision";
import type { Setup, SetupPlan, SetupSignIn, SetupStage } from "../../ipc/setup.ts";
import { consoleErrorOf, DesktopError } from "../desktop-error.ts";
import { Asked } from "./asked.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { installNode, proveNode, type InstallPlace } from "./install-node.ts";
import { SetupFile } from "./setup-file.ts";
import { heard, noSetup, nothingDone } from "./setup-view.ts";
import { agentSocket, findWays, readKey } from "./ssh-ways.ts";

export interface SetupWizardOptions extends InstallPlace {
  readonly homeDir: string;
  readonly version: string;
  /** What a shell was told of the release to install. */
  readonly release: Partial<Pick<SetupPlan, "bundle" | "releaseDir" | "anchor" | "isUnsigned">>;
  readonly onChanged: (setup: Setup) => void;
}

/** One thing under way. What it says after it was cancelled is not heard. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly say: (change: Partial<Setup>) => void;
}

/** Stages in which the server is changed, or what changes it is being ended. */
const CHANGING: ReadonlySet<SetupStage> = new Set(["install", "stopped", "removal"]);

/** Of a node, where nobody chose another. */
const NODE_PORT = 7443;

export class SetupWizard {
  readonly #options: SetupWizardOptions;
  readonly #hosts: KnownHosts;
  readonly #file: SetupFile;
  #setup: Setup;
  #attempt: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();
  #access: Access | undefined;
  #asked: Asked | undefined;

  constructor(options: SetupWizardOptions) {
    this.#options = options;
    this.#hosts = new KnownHosts(join(options.homeDir, "hosts.json"));
    this.#file = new SetupFile(join(options.homeDir, "setup.json"));
    this.#setup = { ...noSetup, ways: findWays(), ...this.#resumed() };
  }

  get setup(): Setup {
    return this.#setup;
  }

  begin(address: string): Setup {
    this.#expect("host");
    const target = parseTarget(address);
    this.#say({ ...noSetup, ways: findWays(), server: target });
    const known = this.#hosts.get(target);
    if (known)
      return this.#say({
        stage: "sign-in",
        hostKey: { ...known, isConfirmed: true, mustPaste: false },
      });
    return this.#run(({ say }) => this.#readKey(target, false, say));
  }

  confirmKey(pasted: string): Setup {
    this.#expect("key");
    const { hostKey } = this.#setup;
    if (!hostKey || hostKey.isConfirmed) throw notNow();
    const { algorithm, sha256, mustPaste } = hostKey;
    if (mustPaste && pasted === "") throw new ProvisionError("ERR_HOST_KEY_TEXT");
    try {
      const text = pasted === "" ? undefined : pasted;
      this.#hosts.confirm(this.#target, { algorithm, sha256 }, text);
    } catch (error) {
      return this.#say({ error: consoleErrorOf(error) });
    }
    return this.#say({ stage: "sign-in", error: null, hostKey: { ...hostKey, isConfirmed: true } });
  }

  forgetKey(): Setup {
    this.#expect("key");
    if (this.#setup.error?.code !== "ERR_HOST_KEY_CHANGED" || !this.#setup.hostKey?.isConfirmed)
      throw notNow();
    this.#hosts.forget(this.#target);
    return this.#run(({ say }) => this.#readKey(this.#target, true, say));
  }

  signIn(input: SetupSignIn): Setup {
    this.#expect("sign-in");
    const target = this.#target;
    const hostKey = this.#hosts.get(target);
    if (!hostKey) throw new ProvisionError("ERR_HOST_KEY_UNKNOWN");
    const { way, given } = wayOf(input);
    return this.#run(async (attempt) => {
      const asked = new Asked(given, (wishes) => attempt.say({ wishes }));
      const access = new Access({ target, hostKey, way, ask: asked.ask, isAttended: true });
      this.#forget();
      [this.#asked, this.#access] = [asked, access];
      try {
        const shell = await access.connect();
        if (attempt.signal.aborted) return shell.close();
        attempt.say({ privilege: shell.privilege });
        if (this.#setup.isResuming) {
          shell.close();
          return await this.#install(attempt);
        }
        await this.#look(shell, attempt);
      } catch (error) {
        // It was not accepted: whoever tries again says it again.
        if (this.#access === access && this.#setup.stage === "sign-in") this.#forget();
        if (codeOf(error) === "ERR_HOST_KEY_CHANGED") attempt.say({ stage: "key" });
        throw error;
      }
    });
  }

  answer(answers: readonly string[]): Setup {
    if (!this.#asked?.answer(answers)) throw notNow();
    return this.#setup;
  }

  lookAgain(): Setup {
    this.#expect("preflight", "plan");
    return this.#run(async (attempt) => this.#look(await this.#connect(), attempt));
  }

  plan(): Setup {
    this.#expect("preflight");
    if (!isFit(this.#setup.findings)) throw new ProvisionError("ERR_HOST_UNFIT");
    return this.#say({ stage: "plan", error: null });
  }

  install(plan: SetupPlan): Setup {
    this.#expect("plan");
    const lookedAt = this.#setup.plan?.port;
    this.#say({ plan });
    return this.#run(async (attempt) => {
      // Whether that port is free was not asked yet.
      if (plan.port !== lookedAt) {
        await this.#look(await this.#connect(), attempt);
        if (!isFit(this.#setup.findings)) return;
        attempt.say({ stage: "plan" });
      }
      await this.#install(attempt);
    });
  }

  goOn(): Setup {
    this.#expect("install", "stopped", "proof");
    if (this.#setup.stage === "proof") return this.#run((attempt) => this.#prove(attempt));
    if (!this.#access) return this.#say({ stage: "sign-in", isResuming: true, error: null });
    return this.#run((attempt) => this.#install(attempt));
  }

  /** Up to the plan nothing was changed on the server; from there on the run there is ended as well. */
  cancel(): Setup {
    const { stage, isBusy } = this.#setup;
    if (stage !== "install" || !isBusy) return this.leave();
    const ended = this.#ended;
    this.#abort();
    this.#asked?.cancel();
    this.#say({ stage: "stopped", isAway: false, isRebooting: false });
    return this.#run(async () => {
      // Whatever it was doing: it starts nothing more on the server after this.
      await ended;
      const shell = await this.#connect();
      await stopRun(shell).finally(() => shell.close());
    });
  }

  listRemovals(): Setup {
    this.#expect("install", "stopped");
    return this.#run(async ({ say }) => {
      const shell = await this.#connect();
      const removals = await removalsOn(shell).finally(() => shell.close());
      say({ stage: "removal", removals });
    });
  }

  remove(): Setup {
    this.#expect("removal");
    const { connect } = this.#needAccess();
    const isFolderOnly = this.#setup.removals.join("") === FOLDER_ONLY;
    return this.#run(async ({ say }) => {
      say(nothingDone);
      if (isFolderOnly) {
        const shell = await connect();
        await removeSetUpFolder(shell).finally(() => shell.close());
      } else await takeAway(connect, (event) => say(heard(this.#setup, event, Date.now()) ?? {}));
      this.#forget();
      say({ stage: "removed" });
    });
  }

  /** Forgets all of it here, where nothing is being changed on the server. */
  leave(): Setup {
    if (this.#setup.isBusy && CHANGING.has(this.#setup.stage)) throw notNow();
    this.#abort();
    this.#forget();
    return this.#say({ ...noSetup, ways: findWays() });
  }

  diagnostics(): string {
    return diagnosticsOf(this.#setup, this.#options.version);
  }

  /** The console ends; a run on the server goes on, and is found again. */
  close(): void {
    this.#abort();
    this.#forget();
  }

  async #readKey(target: Target, mustPaste: boolean, say: Attempt["say"]): Promise<void> {
    const shown = await SshConnection.readHostKey(target);
    say({ stage: "key", hostKey: { ...shown, isConfirmed: false, mustPaste } });
  }

  async #look(shell: RootShell, { say }: Attempt): Promise<void> {
    const plan = this.#setup.plan ?? this.#firstPlan();
    const { findings } = await preflight(shell, plan.port).finally(() => shell.close());
    say({ stage: "preflight", plan, findings: [...findings] });
  }

  async #install(attempt: Attempt): Promise<void> {
    const { signal, say } = attempt;
    const plan = this.#setup.plan ?? this.#firstPlan();
    const { connect } = this.#needAccess();
    const { node } = await installNode(this.#options, {
      plan,
      host: this.#target.host,
      connect,
      signal,
      begun: (report) => say({ ...nothingDone, stage: "install", isResuming: false, plan, report }),
      hear: (event) => say(heard(this.#setup, event, Date.now()) ?? {}),
    });
    this.#forget();
    say({ stage: "proof", node });
    await this.#prove(attempt);
  }

  async #prove({ signal, say }: Attempt): Promise<void> {
    const { node } = this.#setup;
    if (node === null) throw notNow();
    await proveNode(this.#options.book, node, signal);
    say({ stage: "done" });
  }

  #firstPlan(): SetupPlan {
    const { release } = this.#options;
    return {
      port: NODE_PORT,
      name: nodeNameOf(this.#target.host),
      steps: ["memory"],
      reach: "",
      bundle: "",
      releaseDir: "",
      anchor: "",
      isUnsigned: false,
      ...release,
    };
  }

  get #target(): Target {
    const { server } = this.#setup;
    if (!server) throw notNow();
    return server;
  }

  #connect(): Promise<RootShell> {
    return this.#needAccess().connect();
  }

  #needAccess(): Access {
    if (!this.#access) throw notNow();
    return this.#access;
  }

  /** Where the last console left it. A question that was open then is asked again. */
  #resumed(): Partial<Setup> {
    const kept = this.#file.read();
    if (!kept?.server) return {};
    const known = this.#hosts.get(kept.server);
    const hostKey = known ? { ...known, isConfirmed: true, mustPaste: false } : null;
    const { server, plan } = kept;
    switch (kept.stage) {
      case "host":
      case "removed":
        return {};
      case "key":
        return { server };
      case "sign-in":
      case "preflight":
      case "plan":
        return known ? { stage: "sign-in", server, plan, hostKey } : { server };
      case "install":
      case "stopped":
      case "removal":
        return known ? { ...kept, stage: "sign-in", hostKey, isResuming: true } : { server };
      case "proof":
      case "done":
        return { ...kept, hostKey };
    }
  }

  #run(work: (attempt: Attempt) => Promise<void>): Setup {
    const attempt = new AbortController();
    const { signal } = attempt;
    this.#attempt = attempt;
    this.#say({ isBusy: true, error: null });
    const say = (change: Partial<Setup>): void => {
      if (!signal.aborted) this.#say(change);
    };
    this.#ended = work({ signal, say }).then(
      () => say({ isBusy: false, wishes: [] }),
      (error: unknown) => say({ isBusy: false, wishes: [], error: consoleErrorOf(error) }),
    );
    return this.#setup;
  }

  #abort(): void {
    this.#attempt?.abort();
    this.#attempt = undefined;
    this.#setup = { ...this.#setup, isBusy: false, wishes: [] };
  }

  #forget(): void {
    this.#asked?.cancel();
    this.#access?.erase();
    this.#asked = undefined;
    this.#access = undefined;
  }

  #expect(...stages: readonly SetupStage[]): void {
    if (this.#setup.isBusy || !stages.includes(this.#setup.stage)) throw notNow();
  }

  #say(change: Partial<Setup>): Setup {
    this.#setup = { ...this.#setup, ...change };
    this.#file.write(this.#setup);
    this.#options.onChanged(this.#setup);
    return this.#setup;
  }
}

/** What was typed goes into buffers at once; the text itself nobody can erase. */
function wayOf(input: SetupSignIn): {
  way: Way;
  given: Partial<Record<"password" | "passphrase", Secret>>;
} {
  const secret = (text: string) => new Secret(Buffer.from(text, "utf8"));
  switch (input.kind) {
    case "password":
      return { way: { kind: "password" }, given: { password: secret(input.password) } };
    case "agent":
      return { way: { kind: "agent", socketPath: agentSocket() }, given: {} };
    case "key":
    case "key-file": {
      const key =
        input.kind === "key" ? readKey(input.name) : new Secret(Buffer.from(input.key, "base64"));
      const { passphrase } = input;
      return {
        way: { kind: "key", key },
        given: passphrase === "" ? {} : { passphrase: secret(passphrase) },
      };
    }
  }
}

const FOLDER_ONLY = "/var/lib/phantoma-setup: what was sent; no step was begun";

async function removalsOn(shell: RootShell): Promise<string[]> {
  try {
    return [...(await listRemovals(shell))];
  } catch (error) {
    if (codeOf(error) !== "ERR_NOT_INSTALLED") throw error;
    return [FOLDER_ONLY];
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ProvisionError ? error.code : undefined;
}

function notNow(): DesktopError {
  return new DesktopError("ERR_SETUP_STATE", "the set-up does not wait for this now");
}

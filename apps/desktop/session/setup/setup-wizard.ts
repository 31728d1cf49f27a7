/**
 * Makes a server a node, as a person in front of the page goes through it; `ipc/setup.ts` has the states.
 *
 * What a state does not wait for is refused. Passwords and keys are held while they are needed, by this process only.
 *
 * @module
 */
import { join } from "node:path";
import {
  Access,
  isFit,
  KnownHosts,
  nodeNameOf,
  parseTarget,
  preflight,
  ProvisionError,
  SshConnection,
  stopRun,
  type RootShell,
  type Target,
} from "@phantoma/provision";
import type { Setup, SetupPlan, SetupSignIn, SetupStage } from "../../ipc/setup.ts";
import { consoleErrorOf } from "../desktop-error.ts";
import { Asked } from "./asked.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { installNode, proveNode, type InstallPlace } from "./install-node.ts";
import { namedBy, noRelease, type NamedRelease } from "./named-release.ts";
import { removalsOn, remove } from "./removal.ts";
import { resumed } from "./resume.ts";
import { SetupFile } from "./setup-file.ts";
import { notNow, SetupState, type Attempt } from "./setup-state.ts";
import { heard, noSetup, nothingDone } from "./setup-view.ts";
import { findWays, wayOf } from "./ssh-ways.ts";

export interface SetupWizardOptions extends InstallPlace {
  readonly homeDir: string;
  readonly version: string;
  /** What a shell was told of the release to install. */
  readonly release: Partial<NamedRelease>;
  /** The shell's own dialog; nothing where a person named none. */
  readonly chooseBundle?: (() => Promise<string | undefined>) | undefined;
  readonly onChanged: (setup: Setup) => void;
}

/** Stages in which the server is changed, or what changes it is being ended. */
const CHANGING: ReadonlySet<SetupStage> = new Set(["install", "stopped", "removal"]);

/** Of a node, where nobody chose another. */
const NODE_PORT = 7443;

export class SetupWizard {
  readonly #options: SetupWizardOptions;
  readonly #started: NamedRelease;
  readonly #hosts: KnownHosts;
  readonly #state: SetupState;
  #access: Access | undefined;
  #asked: Asked | undefined;

  constructor(options: SetupWizardOptions) {
    this.#options = options;
    this.#started = { ...noRelease, ...options.release };
    this.#hosts = new KnownHosts(join(options.homeDir, "hosts.json"));
    const file = new SetupFile(join(options.homeDir, "setup.json"));
    const before = resumed(file.read(), this.#hosts);
    const release = this.#shown(before.release?.bundle || this.#started.bundle);
    const first = { ...this.#unbegun(), ...before, release };
    this.#state = new SetupState(first, (setup) => {
      file.write(setup);
      options.onChanged(setup);
    });
  }

  get setup(): Setup {
    return this.#state.now;
  }

  begin(address: string): Setup {
    this.#state.expect("host");
    const target = parseTarget(address);
    this.#state.say({ ...this.#unbegun(), server: target });
    const known = this.#hosts.get(target);
    if (known)
      return this.#state.say({
        stage: "sign-in",
        hostKey: { ...known, isConfirmed: true, mustPaste: false },
      });
    return this.#state.run(({ say }) => this.#readKey(target, false, say));
  }

  confirmKey(pasted: string): Setup {
    this.#state.expect("key");
    const { hostKey } = this.#state.now;
    if (!hostKey || hostKey.isConfirmed) throw notNow();
    const { algorithm, sha256, mustPaste } = hostKey;
    if (mustPaste && pasted === "") throw new ProvisionError("ERR_HOST_KEY_TEXT");
    try {
      const text = pasted === "" ? undefined : pasted;
      this.#hosts.confirm(this.#target, { algorithm, sha256 }, text);
    } catch (error) {
      return this.#state.say({ error: consoleErrorOf(error) });
    }
    return this.#state.say({
      stage: "sign-in",
      error: null,
      hostKey: { ...hostKey, isConfirmed: true },
    });
  }

  forgetKey(): Setup {
    this.#state.expect("key");
    if (
      this.#state.now.error?.code !== "ERR_HOST_KEY_CHANGED" ||
      !this.#state.now.hostKey?.isConfirmed
    )
      throw notNow();
    this.#hosts.forget(this.#target);
    this.#state.say({ hostKey: null });
    return this.#state.run(({ say }) => this.#readKey(this.#target, true, say));
  }

  signIn(input: SetupSignIn): Setup {
    this.#state.expect("sign-in");
    const target = this.#target;
    const hostKey = this.#hosts.get(target);
    if (!hostKey) throw new ProvisionError("ERR_HOST_KEY_UNKNOWN");
    const { way, given } = wayOf(input);
    return this.#state.run(async (attempt) => {
      const asked = new Asked(given, (wishes) => attempt.say({ wishes }));
      const access = new Access({ target, hostKey, way, ask: asked.ask, isAttended: true });
      this.#forget();
      [this.#asked, this.#access] = [asked, access];
      try {
        const shell = await access.connect();
        if (attempt.signal.aborted) return shell.close();
        attempt.say({ privilege: shell.privilege, isByKey: way.kind !== "password" });
        if (this.#state.now.isResuming) {
          shell.close();
          return await this.#install(attempt);
        }
        await this.#look(shell, attempt);
      } catch (error) {
        // It was not accepted: whoever tries again says it again.
        if (this.#access === access && this.#state.now.stage === "sign-in") this.#forget();
        if (codeOf(error) === "ERR_HOST_KEY_CHANGED") attempt.say({ stage: "key" });
        throw error;
      }
    });
  }

  answer(answers: readonly string[]): Setup {
    if (!this.#asked?.answer(answers)) throw notNow();
    return this.#state.now;
  }

  lookAgain(): Setup {
    this.#state.expect("preflight", "plan");
    return this.#state.run(async (attempt) => this.#look(await this.#connect(), attempt));
  }

  plan(): Setup {
    this.#state.expect("preflight");
    if (!isFit(this.#state.now.findings)) throw new ProvisionError("ERR_HOST_UNFIT");
    return this.#state.say({ stage: "plan", error: null });
  }

  chooseRelease(): Setup {
    this.#state.expect("plan");
    const { chooseBundle } = this.#options;
    if (!chooseBundle) throw notNow();
    return this.#state.run(async ({ say }) => {
      const bundle = await chooseBundle();
      if (bundle !== undefined) say({ release: this.#shown(bundle) });
    });
  }

  install(plan: SetupPlan): Setup {
    this.#state.expect("plan");
    const lookedAt = this.#state.now.plan?.port;
    this.#state.say({ plan });
    return this.#state.run(async (attempt) => {
      // Whether that port is free was not asked yet.
      if (plan.port !== lookedAt) {
        await this.#look(await this.#connect(), attempt);
        if (!isFit(this.#state.now.findings)) return;
        attempt.say({ stage: "plan" });
      }
      await this.#install(attempt);
    });
  }

  goOn(): Setup {
    this.#state.expect("install", "stopped", "proof");
    if (this.#state.now.stage === "proof")
      return this.#state.run((attempt) => this.#prove(attempt));
    if (!this.#access) return this.#state.say({ stage: "sign-in", isResuming: true, error: null });
    return this.#state.run((attempt) => this.#install(attempt));
  }

  /** Up to the plan nothing was changed on the server; from there on the run there is ended as well. */
  cancel(): Setup {
    const { stage, isBusy } = this.#state.now;
    if (stage !== "install" || !isBusy) return this.leave();
    const ended = this.#state.ended;
    this.#state.abort();
    this.#asked?.cancel();
    this.#state.say({ stage: "stopped", isAway: false, isRebooting: false });
    return this.#state.run(async () => {
      // Whatever it was doing: it starts nothing more on the server after this.
      await ended;
      const shell = await this.#connect();
      await stopRun(shell).finally(() => shell.close());
    });
  }

  listRemovals(): Setup {
    this.#state.expect("install", "stopped");
    return this.#state.run(async ({ say }) => {
      const shell = await this.#connect();
      const removals = await removalsOn(shell).finally(() => shell.close());
      say({ stage: "removal", removals });
    });
  }

  remove(): Setup {
    this.#state.expect("removal");
    const { connect } = this.#needAccess();
    const { removals } = this.#state.now;
    return this.#state.run(async ({ say }) => {
      say(nothingDone);
      await remove(removals, connect, (event) =>
        say(heard(this.#state.now, event, Date.now()) ?? {}),
      );
      this.#forget();
      say({ stage: "removed" });
    });
  }

  /** Forgets all of it here, where nothing is being changed on the server. */
  leave(): Setup {
    if (this.#state.now.isBusy && CHANGING.has(this.#state.now.stage)) throw notNow();
    this.#state.abort();
    this.#forget();
    return this.#state.say(this.#unbegun());
  }

  diagnostics(): string {
    return diagnosticsOf(this.#state.now, this.#options.version);
  }

  /** The console ends; a run on the server goes on, and is found again. */
  close(): void {
    this.#state.abort();
    this.#forget();
  }

  async #readKey(target: Target, mustPaste: boolean, say: Attempt["say"]): Promise<void> {
    const shown = await SshConnection.readHostKey(target);
    say({ stage: "key", hostKey: { ...shown, isConfirmed: false, mustPaste } });
  }

  async #look(shell: RootShell, { say }: Attempt): Promise<void> {
    const plan = this.#state.now.plan ?? this.#firstPlan();
    const { findings } = await preflight(shell, plan.port).finally(() => shell.close());
    say({ stage: "preflight", plan, findings: [...findings] });
  }

  async #install(attempt: Attempt): Promise<void> {
    const { signal, say } = attempt;
    const plan = this.#state.now.plan ?? this.#firstPlan();
    const { connect } = this.#needAccess();
    const { node } = await installNode(this.#options, {
      plan,
      release: namedBy(this.#started, this.#state.now.release.bundle),
      host: this.#target.host,
      connect,
      isByKey: this.#state.now.isByKey,
      signal,
      begun: (report) => say({ ...nothingDone, stage: "install", isResuming: false, plan, report }),
      hear: (event) => say(heard(this.#state.now, event, Date.now()) ?? {}),
    });
    this.#forget();
    say({ stage: "proof", node });
    await this.#prove(attempt);
  }

  async #prove({ signal, say }: Attempt): Promise<void> {
    const { node } = this.#state.now;
    if (node === null) throw notNow();
    await proveNode(this.#options.book, node, signal);
    say({ stage: "done" });
  }

  #firstPlan(): SetupPlan {
    return {
      port: NODE_PORT,
      name: nodeNameOf(this.#target.host),
      steps: ["memory", "firewall"],
      reach: "",
    };
  }

  #unbegun(): Setup {
    return { ...noSetup, ways: findWays(), release: this.#shown(this.#started.bundle) };
  }

  #shown(bundle: string): Setup["release"] {
    const { isUnsigned } = namedBy(this.#started, bundle);
    return { bundle, isUnsigned, mayChoose: this.#options.chooseBundle !== undefined };
  }

  get #target(): Target {
    const { server } = this.#state.now;
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

  #forget(): void {
    this.#asked?.cancel();
    this.#access?.erase();
    this.#asked = undefined;
    this.#access = undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ProvisionError ? error.code : undefined;
}

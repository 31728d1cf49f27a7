/** A set-up as the page goes through it, against a real OpenSSH server on which the set-up itself is played. */
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseFacts } from "../../../../packages/provision/src/preflight/facts.ts";
import { judge } from "../../../../packages/provision/src/preflight/findings.ts";
import { stepNames } from "../../../../packages/provision/src/step-names.ts";
import { HOST_NODE_KEY, TestHost } from "../../../../packages/provision/src/ssh/test-host.ts";
import { noSshd, PASSPHRASE, PASSWORD } from "../../../../packages/provision/src/ssh/test-sshd.ts";
import { requests } from "../../ipc/contract.ts";
import { setupSchema, setupChecks, setupSteps, type Setup } from "../../ipc/setup.ts";
import { ConsoleSession } from "../console-session.ts";
import { FakeNode } from "../fake-node.ts";
import { openFileKeyStore } from "../key-store.ts";
import type { NamedRelease } from "./named-release.ts";

/** Seconds of PAM and of a busy machine, in milliseconds. */
const PATIENCE_MS = 180_000;

test("the page knows every step and every check of a set-up, in their order", () => {
  expect([...setupSteps]).toEqual(stepNames);
  const facts = parseFacts(Buffer.from(FACTS));
  const findings = judge(facts, { port: 7443, now: 0, uncertaintyMs: 0 });
  expect(findings.map(({ check }) => check)).toEqual([...setupChecks]);
});

/** The fewest that are facts at all. */
const FACTS = `facts=1
btf=no
isSystemd=no
isContainer=no
avx2=no
clock=1
aptLock=free
hibernation=no
initOnFree=no
grub=no
ufw=no
firewalld=no
nftables=no
cloudInit=absent
facts=end
`;

describe.skipIf(noSshd() !== undefined)("a set-up", () => {
  let host: TestHost;
  let homeDir: string;
  let session: ConsoleSession;
  let told: Setup[];
  beforeAll(async () => void (host = await TestHost.start()), PATIENCE_MS);
  afterAll(() => host.stop());
  beforeEach(() => {
    host.empty();
    homeDir = mkdtempSync(join(tmpdir(), "wizard-"));
    start();
    return async () => {
      await session.close();
      rmSync(homeDir, { recursive: true });
    };
  });

  function start(
    release: Partial<NamedRelease> = { bundle: host.bundlePath, isUnsigned: true },
    chosen: string[] = [],
  ): void {
    session = new ConsoleSession({
      version: "0.1.0",
      shell: "web",
      homeDir,
      keyStore: openFileKeyStore(homeDir),
      demo: { nodeDir: "", models: [] },
      client: new FakeNode(),
      endpointPort: 0,
      release,
      chooseBundle: async () => chosen.shift(),
    });
    told = [];
    session.subscribe((event) => {
      if (event.event === "setup.changed") told.push(setupSchema.parse(event.setup));
    });
  }

  const now = () => session.requests["setup.get"]({});
  const until = async (is: (setup: Setup) => boolean): Promise<Setup> => {
    await expect.poll(async () => is(await now()), { timeout: PATIENCE_MS / 3 }).toBe(true);
    return now();
  };
  const idle = (stage: Setup["stage"]) => until((one) => one.stage === stage && !one.isBusy);
  const failed = async () => (await until((one) => one.error !== null && !one.isBusy)).error?.code;
  const address = (user: string) => `${user}@127.0.0.1:${host.sshd.port}`;
  async function toSignIn(user = "root"): Promise<void> {
    await session.requests["setup.begin"]({ address: address(user) });
    await idle("key");
    await session.requests["setup.confirmKey"]({ pasted: host.sshd.hostKey().sha256 });
    await idle("sign-in");
  }
  async function toPlan(user = "root"): Promise<Setup> {
    await toSignIn(user);
    await session.requests["setup.signIn"]({ kind: "password", password: PASSWORD });
    await idle("preflight");
    await session.requests["setup.plan"]({});
    return idle("plan");
  }
  async function toInstall(): Promise<void> {
    const { plan } = await toPlan();
    await session.requests["setup.install"](plan!);
  }
  const undo = async () => {
    await session.requests["setup.listRemovals"]({});
    const { removals } = await idle("removal");
    await session.requests["setup.remove"]({});
    await idle("removed");
    return removals;
  };
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "nothing",
      (error: { code: string }) => error.code,
    );

  test(
    "goes from an address to a node, and back; no password is in what is told or written",
    async () => {
      await toInstall();
      const done = await idle("done");
      expect(done.node).toBe(HOST_NODE_KEY);
      expect(done.steps.map(({ step, state }) => [step, state])).toEqual(
        setupSteps.map((step) => [step, "done"]),
      );
      expect(done.drill).toHaveLength(7);
      expect(told.some(({ isRebooting }) => isRebooting)).toBe(true);
      expect((await session.requests["console.state"]({})).nodes).toMatchObject([
        { id: HOST_NODE_KEY, kind: "provisioned", isConfirmed: true, name: "127-0-0-1" },
      ]);
      const written = readdirSync(homeDir, { recursive: true, encoding: "utf8" })
        .map((name) => join(homeDir, name))
        .filter((path) => statSync(path).isFile());
      for (const path of written) {
        expect(statSync(path).mode & 0o077).toBe(0);
        expect(readFileSync(path).includes(PASSWORD)).toBe(false);
      }
      expect(JSON.stringify(told)).not.toContain(PASSWORD);
      // Back: from a set-up that is gone on with and then ended.
      await session.requests["setup.leave"]({});
      await session.requests["setup.begin"]({ address: address("root") });
      await session.requests["setup.signIn"]({ kind: "password", password: PASSWORD });
      await idle("preflight");
      host.hold("drill");
      await session.requests["setup.plan"]({});
      const { plan } = await now();
      await session.requests["setup.install"](plan!);
      await until(({ steps }) => steps.at(-1)?.step === "drill");
      expect((await now()).steps.slice(0, -1).every(({ state }) => state === "was-so")).toBe(true);
      await session.requests["setup.cancel"]({});
      await idle("stopped");
      host.letGo("drill");
      expect(await undo()).toContain("/opt/phantoma: the programs");
    },
    PATIENCE_MS,
  );

  test(
    "a key is taken only when a person compared it; one that changed ends it before anything is sent",
    async () => {
      await session.requests["setup.begin"]({ address: address("root") });
      await idle("key");
      await session.requests["setup.confirmKey"]({ pasted: "not a fingerprint" });
      expect((await now()).error?.code).toBe("ERR_HOST_KEY_TEXT");
      await session.requests["setup.confirmKey"]({ pasted: `SHA256:${"A".repeat(43)}` });
      expect(await now()).toMatchObject({ stage: "key", error: { code: "ERR_HOST_KEY_CHANGED" } });
      expect(await code(session.requests["setup.forgetKey"]({}))).toBe("ERR_SETUP_STATE");
      await session.requests["setup.leave"]({});

      // As if another one had been confirmed before.
      const known = { algorithm: "ssh-ed25519", sha256: `SHA256:${"B".repeat(43)}` };
      const name = `127.0.0.1:${host.sshd.port}`;
      writeFileSync(join(homeDir, "hosts.json"), JSON.stringify({ [name]: known }));
      await session.requests["setup.begin"]({ address: address("root") });
      expect((await now()).stage).toBe("sign-in");
      await session.requests["setup.signIn"]({ kind: "password", password: PASSWORD });
      expect(await failed()).toBe("ERR_HOST_KEY_CHANGED");
      expect((await now()).stage).toBe("key");
      expect(await code(session.requests["setup.confirmKey"]({ pasted: "" }))).toBe(
        "ERR_SETUP_STATE",
      );
      await session.requests["setup.forgetKey"]({});
      expect((await idle("key")).hostKey).toMatchObject({ mustPaste: true, isConfirmed: false });
      expect(await code(session.requests["setup.confirmKey"]({ pasted: "" }))).toBe(
        "ERR_HOST_KEY_TEXT",
      );
      await session.requests["setup.confirmKey"]({ pasted: host.sshd.hostKey().sha256 });
      expect((await now()).stage).toBe("sign-in");
    },
    PATIENCE_MS,
  );

  test(
    "a password that is wrong, a user without sudo and a locked key have codes, and are asked again",
    async () => {
      await toSignIn();
      await session.requests["setup.signIn"]({ kind: "password", password: "wrong" });
      expect(await failed()).toBe("ERR_SSH_SIGN_IN");
      expect((await now()).stage).toBe("sign-in");
      const key = host.sshd.privateKey("id").toString("base64");
      await session.requests["setup.signIn"]({ kind: "key-file", key, passphrase: "wrong" });
      expect(await failed()).toBe("ERR_KEY_PASSPHRASE");
      // Nothing was said: then it is asked for.
      await session.requests["setup.signIn"]({ kind: "key-file", key, passphrase: "" });
      await until(({ wishes }) => wishes[0]?.kind === "passphrase");
      await session.requests["setup.answer"]({ answers: [PASSPHRASE] });
      expect(await idle("preflight")).toMatchObject({ privilege: "root" });
      await session.requests["setup.leave"]({});

      await session.requests["setup.begin"]({ address: address("sudo-never") });
      await session.requests["setup.signIn"]({ kind: "password", password: PASSWORD });
      expect(await failed()).toBe("ERR_SUDO_NOT_ALLOWED");
      await session.requests["setup.leave"]({});
      await session.requests["setup.begin"]({ address: address("sudo-asks") });
      await session.requests["setup.signIn"]({ kind: "key-file", key, passphrase: PASSPHRASE });
      await until(({ wishes }) => wishes[0]?.kind === "sudo");
      await session.requests["setup.answer"]({ answers: [PASSWORD] });
      expect(await idle("preflight")).toMatchObject({ privilege: "password" });
    },
    PATIENCE_MS,
  );

  test(
    "a console that was started anew asks to sign in, and finds the run that went on",
    async () => {
      host.hold("model");
      await toInstall();
      await until(({ steps }) => steps.at(-1)?.step === "model");
      const runs = host.runs;
      await session.close();
      start();
      expect(await now()).toMatchObject({ stage: "sign-in", isResuming: true, isBusy: false });
      expect(host.isRunning).toBe(true);
      await session.requests["setup.signIn"]({ kind: "password", password: PASSWORD });
      // Let go before it is found, it would end by itself, and a run that ended is begun anew.
      await until(({ isResuming, steps }) => !isResuming && steps.at(-1)?.step === "model");
      expect(host.runs).toBe(runs);
      host.letGo("model");
      await idle("done");
      // One more for the reboot, and none for the console.
      expect(host.runs).toBe(runs + 1);
      expect(told.filter(({ stage }) => stage === "plan")).toEqual([]);
      await session.requests["setup.leave"]({});
      expect(readdirSync(homeDir)).not.toContain("setup.json");
    },
    PATIENCE_MS,
  );

  test(
    "cancelled, the run on the server ends, and nothing of it is heard any more",
    async () => {
      host.hold("users");
      await toInstall();
      await until(({ steps }) => steps.at(-1)?.step === "users");
      await session.requests["setup.cancel"]({});
      await idle("stopped");
      host.letGo("users");
      expect(host.isRunning).toBe(false);
      const before = told.length;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(told.length).toBe(before);
      host.fail("folders");
      await session.requests["setup.goOn"]({});
      expect(await failed()).toBe("ERR_STEP_FAILED");
      host.fail("folders", false);
      const { text } = await session.requests["setup.diagnostics"]({});
      expect(text).toContain("ERR_STEP_FAILED");
      expect(text).toContain("step folders: failed");
      for (const word of ["127.0.0.1", "192.0.2.1", "SHA256:", host.bundlePath, PASSWORD])
        expect(text).not.toContain(word);
      await session.requests["setup.goOn"]({});
      await idle("done");
    },
    PATIENCE_MS,
  );

  test(
    "the page names no file to send, and what a person chose is sent as a signed release or not at all",
    async () => {
      await session.close();
      const secret = join(homeDir, "id_ed25519");
      writeFileSync(secret, "a secret of the user's");
      // Looks like a release, and nobody signed it.
      const other = join(homeDir, "phantoma-node-9.9.9-linux-x64.tar.gz");
      copyFileSync(host.bundlePath, other);
      const text = join(homeDir, "phantoma-node-1.0.0.tar.gz");
      writeFileSync(text, "a secret of the user's");
      start({ bundle: secret, isUnsigned: true }, [text, other]);
      const { plan } = await toPlan();
      const { input } = requests["setup.install"];
      expect(input.safeParse(plan).success).toBe(true);
      for (const named of [{ bundle: secret }, { isUnsigned: true }, { anchor: secret }])
        expect(input.safeParse({ ...plan, ...named }).success).toBe(false);
      const refusal = async () => {
        await session.requests["setup.install"](plan!);
        return failed();
      };
      // Even where the console was started so.
      expect(await refusal()).toBe("ERR_BUNDLE");
      await session.requests["setup.chooseRelease"]({});
      await idle("plan");
      expect((await now()).release).toMatchObject({ bundle: text, isUnsigned: false });
      expect(await refusal()).toBe("ERR_BUNDLE");
      await session.requests["setup.chooseRelease"]({});
      expect((await idle("plan")).release).toMatchObject({ bundle: other, isUnsigned: false });
      expect(await refusal()).toBe("ERR_BUNDLE_REFUSED");
      expect((await now()).upload).toBeNull();
      expect(host.runs).toBe(0);
    },
    PATIENCE_MS,
  );

  test("what a state does not wait for is refused", async () => {
    expect(await code(session.requests["setup.plan"]({}))).toBe("ERR_SETUP_STATE");
    expect(await code(session.requests["setup.remove"]({}))).toBe("ERR_SETUP_STATE");
    expect(await code(session.requests["setup.answer"]({ answers: ["x"] }))).toBe(
      "ERR_SETUP_STATE",
    );
    expect(
      await code(session.requests["setup.signIn"]({ kind: "key", name: "../x", passphrase: "" })),
    ).toBe("ERR_SETUP_STATE");
    expect(await code(session.requests["setup.begin"]({ address: "a b" }))).toBe("ERR_SSH_ADDRESS");
  });
});

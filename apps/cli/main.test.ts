/** The terminal as a person runs it: real processes, and one real demo node. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cachedModel } from "../../tests/node-under-test.ts";

/** A node on a busy machine is slow to start, in milliseconds. */
const NODE_TIMEOUT_MS = 90_000;

const main = fileURLToPath(new URL("main.ts", import.meta.url));
let parent: string;
let home: string;
let temporary: string;
let model: string;

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "cli-"));
  home = join(parent, "home");
  temporary = mkdtempSync(join(parent, "tmp-"));
  model = await cachedModel("echo");
}, NODE_TIMEOUT_MS);
afterAll(() => rmSync(parent, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function begin(...args: string[]): { child: ChildProcess; over: Promise<Outcome> } {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, TMPDIR: temporary, PHANTOMA_HOME: home },
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (output += part.toString("utf8")));
  child.stderr.on("data", (part: Buffer) => (errors += part.toString("utf8")));
  const over = new Promise<Outcome>((resolve) =>
    child.once("close", (code) => resolve({ code, output, errors })),
  );
  return { child, over };
}

function phantoma(args: readonly string[], input = ""): Promise<Outcome> {
  const { child, over } = begin(...args);
  child.stdin!.end(input);
  return over;
}

test.each(["toString", "constructor", "__proto__", "nothing"])("%s is no command", async (name) => {
  const { code, errors } = await phantoma([name]);
  expect(code).toBe(2);
  expect(errors).toContain(`there is no command "${name}"`);
});

test("what is wrong with a command line is said with exit code 2", async () => {
  for (const args of [
    ["node", "demo", "--port", "65536"],
    ["node", "demo", "--port", "x"],
    ["start", "--json", "--home", home, "--model", "/none.gguf"],
    ["chat", "--no-such-option"],
  ])
    expect((await phantoma(args)).code).toBe(2);
});

test.each([
  ["ask", "--help"],
  ["ask", "-h"],
  ["help", "ask"],
])("%s %s shows that command alone, with what its options may be", async (...args) => {
  const { code, output, errors } = await phantoma(args);
  expect([code, errors]).toEqual([0, ""]);
  expect(output).toContain("phantoma ask [--node NAME]");
  expect(output).toContain("[--temperature 0..5]");
  expect(output).not.toContain("  chat");
});

test("--version says which one this is", async () => {
  expect(await phantoma(["--version"])).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});

test("a wrong option is named, and where to read the right ones; not how to write another text", async () => {
  const { code, errors } = await phantoma(["ask", "--bogus", "x"]);
  expect([code, errors]).toEqual([
    2,
    "phantoma: Unknown option '--bogus'\n  see: phantoma ask --help\n",
  ]);
});

test("without a paired node a command says how to get one", async () => {
  const { code, output, errors } = await phantoma(["status", "--json"]);
  expect([code, JSON.parse(output).error.code]).toEqual([1, "ERR_NODE_UNKNOWN"]);
  expect(errors).toContain("phantoma node demo");
  expect((await phantoma(["node"])).errors).toContain("no node is paired");
  expect((await phantoma(["node", "forget", "none"])).code).toBe(1);
});

test("the usage says which form of asking is private", async () => {
  const { output } = await phantoma(["help"]);
  expect(output).toContain("other users of this machine can see a command line");
});

test.each(["phantoma-demo-", "devices-1.list"])(
  "Ctrl-C during set-up, when there is %s, leaves no file",
  async (wanted) => {
    const { child, over } = begin("node", "demo", "--model", model);
    while (
      !readdirSync(temporary, { recursive: true }).some((path) => String(path).includes(wanted))
    )
      await sleep(5);
    child.kill("SIGINT");
    expect((await over).code).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  },
);

describe("with a demo node", () => {
  let running: ReturnType<typeof begin>;
  let url: string;

  beforeAll(async () => {
    running = begin("node", "demo", "--json", "--model", model);
    url = await new Promise((resolve, reject) => {
      running.child.stdout!.once("data", (line: Buffer) =>
        resolve((JSON.parse(line.toString("utf8")) as { url: string }).url),
      );
      void running.over.then(({ errors }) => reject(new Error(errors)));
    });
  }, NODE_TIMEOUT_MS);
  afterAll(async () => {
    running.child.kill("SIGINT");
    await running.over;
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(join(home, "nodes"))).toEqual([]);
  }, NODE_TIMEOUT_MS);

  const json = async (...args: string[]) => {
    const { code, output, errors } = await phantoma([...args, "--json"]);
    expect(errors).toBe("");
    expect(code).toBe(0);
    return JSON.parse(output);
  };
  const seenPath = () => join(home, "nodes", "demo.devices.json");

  test("what a command cannot do is said with exit code 2", async () => {
    for (const args of [
      ["window", "burn"],
      ["models", "burn"],
      ["models", "push"],
      ["window", "open"],
      ["receipts", "--before", "0"],
      ["receipts", "export", "1", join(temporary, "both"), "--before", "2"],
    ])
      expect((await phantoma(args)).code).toBe(2);
  });

  test("a receipt is listed, taken away as a file, and checked without the node", async () => {
    const asked = await phantoma(["ask", "hello", "--json", "--max-tokens", "4"]);
    expect(asked.code).toBe(0);
    await expect.poll(async () => (await json("receipts")).receipts.length).toBe(1);
    const [receipt] = (await json("receipts")).receipts;
    expect(receipt).toMatchObject({ sequence: "1" });
    expect(receipt.witness).toBe(receipt.warden ? "verified" : "absent");
    expect((await json("receipts")).missing).toEqual([]);
    expect(await json("receipts", "--before", "2")).toMatchObject({
      receipts: [receipt],
      next: null,
    });
    const shown = await phantoma(["receipts"]);
    expect(shown.output).toContain(receipt.task.slice(0, 16));
    expect(shown.errors).toContain("the node reports");

    const path = join(temporary, "one.receipt");
    await json("receipts", "export", "1", path);
    expect((await phantoma(["receipts", "export", "--all", path])).code).toBe(2);
    const unknown = await phantoma(["receipts", "export", "9", `${path}9`, "--json"]);
    expect(unknown.code).toBe(1);
    expect(JSON.parse(unknown.output).error.code).toBe("ERR_RECEIPT_UNKNOWN");

    // A home without a node or a key, as a stranger has it.
    const offline = ["verify", "receipt", path, "--home", join(temporary, "nobody")];
    const checked = await phantoma(offline);
    expect(checked.code).toBe(0);
    expect(checked.output).toMatch(/ {4}grade {6}[ABC]: .*its cell reported\n/);
    expect(checked.output).toContain("Every signature is genuine");
    expect(checked.output).toContain("not compared: give --node");
    const [{ nodeKey }] = await json("node", "list");
    const compared = await phantoma([...offline, "--node", nodeKey, "--json"]);
    const { node, receipts } = JSON.parse(compared.output);
    expect(node).toMatchObject({ key: nodeKey, isCompared: true });
    expect(receipts).toMatchObject([{ task: receipt.task }]);
    const other = await phantoma([...offline, "--node", "01".repeat(32), "--json"]);
    expect([other.code, JSON.parse(other.output).error.code]).toEqual([
      1,
      "ERR_RECEIPT_OTHER_NODE",
    ]);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    const cut = await phantoma(offline);
    expect(cut.code).toBe(1);
    expect(cut.errors).toContain("what to do: get the file again");
    expect((await phantoma(["verify", "receipt", `${path}-none`])).code).toBe(2);
    rmSync(path);
    expect(readdirSync(temporary).filter((name) => name === "nobody")).toEqual([]);
    // Fifteen programs, one after the other.
  }, 90_000);

  test("a status is shown to people and to programs", async () => {
    expect(await json("status")).toMatchObject({ node: "demo", deviceListVersion: 1 });
    expect((await phantoma(["status"])).output).toContain(url);
  });

  test("the doctor says the demo node's grade, never wiped below A, and exits with 1 for what is to do", async () => {
    const told = await phantoma(["doctor", "--json"]);
    const { node, grade, heldBy, findings } = JSON.parse(told.output);
    // No tree of sources has a journal of its own, so there is always something to do.
    expect([node, told.code, told.errors]).toEqual(["demo", 1, ""]);
    expect(findings.logs.isGood).not.toBe(true);
    expect(heldBy === null).toBe(grade === "A");
    const { code, output } = await phantoma(["doctor"]);
    expect([code, output]).toEqual([1, expect.stringContaining(`wipe grade   ${grade}: `)]);
    if (grade !== "A") expect(output).not.toMatch(/(?<!not )wiped/);
    expect(output).toContain("what to do: ");
  });

  test("a chat with --json is one line for each answer", async () => {
    const { code, output } = await phantoma(["chat", "--json", "--max-tokens", "8"], "One\nTwo\n");
    expect(code).toBe(0);
    const answers = output.trimEnd().split("\n");
    expect(answers).toHaveLength(2);
    for (const line of answers) expect(JSON.parse(line).text).not.toBe("");
  });

  test.each([
    ["--temperature", "hot"],
    ["--temperature", "5.1"],
    ["--top-k", "1.5"],
    ["--max-tokens", "0"],
    ["--seed", ""],
  ])(
    "%s %j is refused before a worker is asked for, and the program ends",
    async (option, value) => {
      const before = (await json("receipts")).receipts.length;
      const { code, errors } = await phantoma(["ask", option, value, "hello"]);
      expect([code, errors]).toEqual([2, expect.stringContaining(`${option} is a `)]);
      expect((await json("receipts")).receipts).toHaveLength(before);
    },
  );

  test("a question on standard input is answered", async () => {
    const { code, output } = await phantoma(["ask", "--temperature", "0", "-"], "What is it?");
    expect([code, output]).toEqual([0, expect.stringContaining("What is it?")]);
  });

  test("devices are listed and renamed with --json; the newest list is remembered", async () => {
    const { devices, version } = await json("devices");
    expect([version, devices]).toMatchObject([1, [{ role: "admin", isThis: true }]]);
    const { changed } = await json("devices", "rename", devices[0].name, "desk");
    expect(changed).toMatchObject({ name: "desk", fingerprint: devices[0].fingerprint });
    expect(JSON.parse(readFileSync(seenPath(), "utf8"))).toMatchObject({ version: 2 });
    const last = await phantoma(["devices", "revoke", "desk", "--yes"]);
    expect([last.code, last.errors]).toEqual([1, expect.stringContaining("admin")]);
  });

  test("a model is pushed, verified, listed and removed, and what is no model is said", async () => {
    const path = join(parent, "Small.gguf");
    writeFileSync(path, "some weights");
    const pushed = await phantoma(["models", "push", path]);
    expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining("Small is stored")]);
    expect(await json("models")).toContainEqual(
      expect.objectContaining({ name: "Small", bytes: 12 }),
    );
    const verified = await phantoma(["models", "verify", "Small"]);
    expect([verified.code, verified.output]).toEqual([0, "Small is whole\n"]);
    expect((await phantoma(["models", "remove", "Small"])).output).toBe("removed Small\n");
    const gone = await phantoma(["models", "verify", "Small", "--json"]);
    expect([gone.code, JSON.parse(gone.output).error.code]).toEqual([1, "ERR_MODEL_UNKNOWN"]);
    const none = await phantoma(["models", "push", join(parent, "none"), "--json"]);
    expect([none.code, JSON.parse(none.output).error.code]).toEqual([1, "ERR_MODEL_FILE"]);
  });

  test("what was refused is counted where there is a policy; without one no window opens", async () => {
    const { policy } = await json("status");
    const egress = await json("egress");
    expect(await json("window")).toMatchObject({ open: null, transfers: [] });
    const opened = await phantoma([
      "window",
      "open",
      "https://models.invalid/m.gguf",
      "--yes",
      "--json",
    ]);
    const { code } = JSON.parse(opened.output).error;
    if (policy === "none") {
      expect([egress.policy, opened.code, code]).toEqual([null, 1, "ERR_NO_POLICY"]);
      expect((await phantoma(["egress"])).output).toContain("policy     none");
    } else {
      expect(egress.policy).toMatchObject({ isInForce: true, fault: null });
      expect([opened.code, code]).toEqual([1, "ERR_MODEL_HOST"]);
      expect((await phantoma(["egress"])).output).toMatch(/attempts {3}\d+ in \d+ day/);
    }
  });

  test("--follow ends with Ctrl-C", async () => {
    const { child, over } = begin("egress", "--follow");
    await new Promise((resolve) => child.stdout!.once("data", resolve));
    await sleep(300);
    child.kill("SIGINT");
    expect((await over).code).toBe(130);
  });

  test("serve answers a program that has its key, until Ctrl-C", async () => {
    const { child, over } = begin("serve", "--port", "0", "--json");
    const { url, keysDir } = JSON.parse(
      await new Promise((resolve) =>
        child.stdout!.once("data", (line: Buffer) => resolve(line.toString("utf8"))),
      ),
    ) as { url: string; keysDir: string };
    const key = readFileSync(join(keysDir, "default"), "utf8").trim();
    const ask = (authorization: string) => fetch(`${url}/models`, { headers: { authorization } });
    expect(await (await ask(`Bearer ${key}`)).json()).toMatchObject({ object: "list" });
    expect((await ask("Bearer none")).status).toBe(401);
    child.kill("SIGINT");
    const { code, output, errors } = await over;
    expect(code).toBe(0);
    expect(errors).toContain("its models: ");
    expect(output + errors).not.toContain(key);
  });

  test("keys of programs are made, listed and removed by name", async () => {
    expect((await phantoma(["serve", "keys", "add", "editor"])).output).toBe("default\neditor\n");
    expect((await phantoma(["serve", "keys", "remove", "editor"])).output).toBe("default\n");
    for (const args of [
      ["keys", "burn"],
      ["--keep", "65"],
    ])
      expect((await phantoma(["serve", ...args])).code).toBe(2);
  });

  test("a node that goes back in its lists is refused, a new node of its name is not", async () => {
    const seen = JSON.parse(readFileSync(seenPath(), "utf8"));
    writeFileSync(seenPath(), JSON.stringify({ ...seen, version: 99 }));
    const refused = await phantoma(["devices", "--json"]);
    expect([refused.code, JSON.parse(refused.output).error.code]).toEqual([1, "ERR_NODE_IDENTITY"]);
    writeFileSync(seenPath(), JSON.stringify({ ...seen, version: 99, nodeKey: "01".repeat(32) }));
    expect(await json("devices")).toMatchObject({ version: seen.version });
  });
});

/**
 * What is left after all attacks: no secret in a log, an argument or a file, and then nothing at all.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, expectEqual, until } from "./expect.ts";
import { makeTicket } from "./raw-client.ts";
import type { Stage } from "./stage.ts";

/** While the node still runs: log, arguments, environment, files. */
export async function searchForSecrets(stage: Stage, temporary: string): Promise<void> {
  const { trace } = stage;
  await stage.attack("no log line holds a word of a prompt, a key or a ticket", async () => {
    expectEqual(trace.inLog().join(), "", "what was found");
    expect(trace.logLines.length > 0, "there is no log");
    return `${trace.logLines.length} lines`;
  });
  await stage.attack("every log line is of the closed form", async () => {
    const free = trace.logLines.filter((line) => !isClosedForm(line));
    expect(free.length === 0, `${free.length} are not, such as ${free[0]}`);
  });
  await stage.attack("no process shows one in its arguments or environment", async () => {
    expectEqual(trace.inProcesses().join(), "", "what was found");
    return `${trace.processCount} processes`;
  });
  await stage.attack("no file holds a word of a prompt", async () => {
    expectEqual(trace.filesWith(temporary, trace.canary).join(), "", "the files with it");
  });
  await stage.control("the same searches find what is there", async () => {
    expect(trace.processesShow(stage.dir), "the node's folder is not in its arguments");
    const key = Buffer.from(stage.device.signing.publicKey);
    expect(trace.filesWith(temporary, key).length > 0, "the device list does not hold the device");
    const ticket = Buffer.from(makeTicket(stage)).toString("base64url");
    expect(trace.found(`a line with ${ticket}`).length > 0, "a logged ticket would not be seen");
    expect(trace.found(`a line with ${trace.canary}`).length > 0, "a logged prompt neither");
  });
}

/** After the end of the node. */
export async function searchForRemains(stage: Stage, temporary: string): Promise<void> {
  await stage.claim("nothing is left: no process, no socket, no file", async () => {
    await until(() => stage.trace.survivors().length === 0, "the end of every process");
    expect(!existsSync(stage.dir), "the node's folder is still there");
    const sockets = readFileSync("/proc/net/unix", "latin1");
    expect(!sockets.includes(stage.dir), "a Unix socket is still there");
    expectEqual(await portAnswers(stage.node.profile.url), false, "an answer at the port");
    const files = readdirSync(temporary).map((name) => join(temporary, name));
    expectEqual(files.join(), "", "what lies in the temporary folder");
    return `${stage.trace.processCount} processes came and went`;
  });
}

function isClosedForm(line: string): boolean {
  const fields = ["time", "role", "event", "code", "count", "durationMs", "port", "version"];
  try {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    return Object.keys(parsed).every((field) => [...fields, "model"].includes(field));
  } catch {
    return false;
  }
}

function portAnswers(url: string): Promise<boolean> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port) });
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

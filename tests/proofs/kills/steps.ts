/**
 * The steps of a task, each with the place in the node's own code where it happens.
 *
 * @module
 */

/** `cell` is the worker's own; its guard is its parent. */
export const victims = ["gateway", "keeper", "warden", "cell", "worker"] as const;
export type Victim = (typeof victims)[number];

export interface Step {
  readonly name: string;
  /** Whose step it is: this process stands still there until somebody was killed. */
  readonly of: Exclude<Victim, "warden">;
  /** Below apps/node. */
  readonly file: string;
  /** The step is reached before this text of the file, or after it. */
  readonly before?: string;
  readonly after?: string;
  /** Not each time that the place is passed. */
  readonly when?: string;
  /** Who is there to be killed; everybody unless it says so. */
  readonly victims?: readonly Victim[];
  /** It comes before the worker has its task, which waits for it. */
  readonly isUnassigned?: boolean;
  /** From here on the node owes the task a receipt. */
  readonly isCertified?: boolean;
}

const withoutWorker = ["gateway", "keeper", "warden", "cell"] as const;
const withoutCell = ["gateway", "keeper", "warden"] as const;

const conversation = { of: "worker", file: "worker/conversation.ts", isCertified: true } as const;
const tunnelEnd = { of: "worker", file: "tunnel-end/tunnel-end.ts" } as const;

/** In their order. */
export const steps: readonly Step[] = [
  {
    name: "a worker is asked for, and nobody took it yet",
    of: "gateway",
    file: "gateway/parent-starter.ts",
    after: "    this.#parent.send({ start: this.#role, id });",
    isUnassigned: true,
  },
  {
    name: "the worker is started",
    of: "worker",
    file: "worker/main.ts",
    before: "await runTunnelEnd({",
    isUnassigned: true,
  },
  {
    name: "the ticket was looked at",
    of: "gateway",
    file: "gateway/gateway.ts",
    before: "    this.#sockets.handleUpgrade(",
  },
  {
    name: "a worker is chosen",
    of: "gateway",
    file: "gateway/tunnel.ts",
    before: "    process.assign(this.#options.ticket,",
  },
  {
    name: "the worker has the ticket",
    ...tunnelEnd,
    before: "  const localStatic = generateX25519();",
  },
  { name: "the warden has the key", ...tunnelEnd, after: "  tellKey?.(localStatic.publicKey);" },
  {
    name: "the certificate is signed",
    of: "keeper",
    file: "keeper/cell-channel.ts",
    after: "    this.#certified = { genuine, key, at: now, machine: this.#keeper.machine() };",
    isCertified: true,
  },
  {
    name: "message 1 was read",
    ...tunnelEnd,
    before: "  link.send(FromProcess.data, message2);",
    isCertified: true,
  },
  {
    name: "message 3 was read",
    ...tunnelEnd,
    after: "  const { deviceKey, session } = next.read(message3);",
    isCertified: true,
  },
  {
    name: "the first message was read",
    ...conversation,
    before: "    const { modelName: model, contextTokens, threads } = this.#engine;",
  },
  {
    name: "an attachment was read",
    ...conversation,
    before: "    this.#attachedBytes += bytes;\n    this.#line",
  },
  {
    name: "the prompt was read",
    ...conversation,
    after: "    this.#startTurn(request);",
  },
  {
    name: "the worker may compute",
    ...conversation,
    after: '    let text = "";\n    try {\n      await this.#permission(signal);',
  },
  { name: "the first token", ...conversation, after: "        text += delta;" },
  {
    name: "in mid-answer",
    ...conversation,
    after: "        this.#line!.delta(delta);",
    when: "text.length > 40",
  },
  {
    name: "the last token",
    ...conversation,
    before: '      this.#history.answered(Buffer.from(text, "utf8"));\n      return',
  },
  {
    name: "the answer is finished",
    ...conversation,
    before: "    this.#line!.finish(outcome, () => {",
  },
  {
    name: "the end was asked for",
    ...conversation,
    before: "    clearTimeout(this.#idle);\n    this.#running",
  },
  {
    name: "the worker is about to exit",
    ...tunnelEnd,
    before: "  process.exit(exitStatusFor(code));",
    isCertified: true,
  },
  {
    name: "the worker is gone, nothing is overwritten",
    of: "cell",
    file: "cell/seize.c",
    before: "		end->was_wiped = wipe(&watch->space, &end->wiped) == 0;",
    victims: withoutWorker,
    isCertified: true,
  },
  {
    name: "a part is overwritten",
    of: "cell",
    file: "cell/wipe.c",
    before: "		result = wipe_mapping(space, &mapping, wiped);",
    when: "wiped->bytes > 1 << 20",
    victims: withoutWorker,
    isCertified: true,
  },
  {
    name: "all is overwritten, nothing is said",
    of: "cell",
    file: "cell/cell.c",
    after: "	watch_until_gone(&seized, gateway, &end);",
    victims: withoutWorker,
    isCertified: true,
  },
  {
    name: "the keeper has the cell's report",
    of: "keeper",
    file: "keeper/cell-channel.ts",
    after: "    if (!isTask) return;",
    victims: withoutCell,
    isCertified: true,
  },
  {
    name: "the keeper has the warden's part",
    of: "keeper",
    file: "keeper/receipts.ts",
    after: "    const warden = await this.#askWarden(beforeWardenPart(unwitnessed));",
    victims: withoutCell,
    isCertified: true,
  },
  {
    name: "the receipt is kept",
    of: "keeper",
    file: "keeper/receipts.ts",
    after: "    this.#kept.push({ task: record.task, device: record.device, document });",
    victims: withoutCell,
    isCertified: true,
  },
];

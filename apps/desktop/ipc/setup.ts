/**
 * From an address to a node, as the page sees it: one state, which a reload or another page finds as it is.
 *
 *   host ──address──> key ──confirmed──> sign-in ──root shell──> preflight ──> plan ──agreed──> install ──> proof ──> done
 *    ^ changed key: ends here                                                                     │
 *    └───────────── cancel, up to here ─────────────┘        left, or undone <── stopped <──cancel─┘
 *
 * Nothing of it is secret. A password goes in by a request, and never comes back. The page names no file of this machine:
 * which release is sent says whoever started the console, or a person in the system's own dialog.
 *
 * @module
 */
import { z } from "zod";
import { consoleErrorSchema } from "./console-error.ts";
import { hex32Schema, timeSchema } from "./node.ts";

/** Characters of a password, a passphrase or an answer. */
export const MAX_SECRET_CHARS = 1_024;
/** What a private key may have in base64: 64 KiB of bytes. */
const MAX_KEY_BASE64 = 87_384;
/** As many as a server is let ask at once. */
const MAX_WISHES = 4;

/** In their order; a test keeps them equal to those of packages/provision. */
export const setupSteps = [
  "release",
  "users",
  "folders",
  "settings",
  "units",
  "identity",
  "devices",
  "model",
  "kernel",
  "memory",
  "reboot",
  "firewall",
  "start",
  "drill",
  "ssh",
] as const;

/** What a person may leave out or ask for. A further one is a word here, a row in the page, and a line where it is installed. */
export const optionalSteps = ["memory", "firewall", "kernel", "ssh"] as const;

/** In the order in which people should read them; kept equal in the same way. */
export const setupChecks = [
  "system",
  "processor",
  "kernel",
  "library",
  "virtualisation",
  "types",
  "groups",
  "services",
  "programs",
  "memory",
  "disk",
  "clock",
  "port",
  "packages",
  "swap",
  "hibernation",
  "kernelUpdate",
  "freedMemory",
  "firewall",
  "node",
] as const;

const port = z.int().min(1).max(65_535);
const path = z.string().max(4_096);

/** What a person decides about a set-up. */
export const planSchema = z.strictObject({
  port,
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** Optional steps that are wanted. */
  steps: z.array(z.enum(optionalSteps)).max(optionalSteps.length),
  /** `host:port` where something stands before the server; empty where nothing does. */
  reach: z.string().max(300),
});

/** What a server is set up with; for show only. */
const releaseSchema = z.strictObject({
  /** Empty where none was named yet. */
  bundle: path,
  /** Whoever started the console says so: nobody signed it. */
  isUnsigned: z.boolean(),
  /** The shell has a dialog for it. */
  mayChoose: z.boolean(),
});

export const wishSchema = z.strictObject({
  kind: z.enum(["password", "sudo", "passphrase", "question"]),
  /** The server's own words, for show only; empty where the page has words of its own. */
  text: z.string().max(256),
  isShown: z.boolean(),
});

export const setupSchema = z.strictObject({
  stage: z.enum([
    "host",
    "key",
    "sign-in",
    "preflight",
    "plan",
    "install",
    "proof",
    "done",
    "stopped",
    "removal",
    "removed",
  ]),
  /** Something is under way for which the page has to wait, or may cancel. */
  isBusy: z.boolean(),
  error: consoleErrorSchema.nullable(),
  server: z.strictObject({ user: z.string().max(32), host: z.string().max(253), port }).nullable(),
  hostKey: z
    .strictObject({
      algorithm: z.string().max(32),
      sha256: z.string().max(64),
      /** By a person, now or before. */
      isConfirmed: z.boolean(),
      /** Another one was confirmed before: only a pasted fingerprint confirms this one. */
      mustPaste: z.boolean(),
    })
    .nullable(),
  /** What a person is asked for now. */
  wishes: z.array(wishSchema).max(MAX_WISHES),
  /** Whoever signed in by a password is not offered to end that. */
  isByKey: z.boolean(),
  /** What this machine offers to sign in with: files of ~/.ssh by name, and whether an agent answers. */
  ways: z.strictObject({ keys: z.array(z.string().max(255)).max(50), hasAgent: z.boolean() }),
  /** A set-up was begun on the server before this console was started again. */
  isResuming: z.boolean(),
  privilege: z.enum(["root", "sudo", "password"]).nullable(),
  findings: z
    .array(
      z.strictObject({
        check: z.enum(setupChecks),
        verdict: z.enum(["good", "note", "stop"]),
        fact: z.string().max(300),
        consequence: z.string().max(500),
      }),
    )
    .max(setupChecks.length),
  plan: planSchema.nullable(),
  release: releaseSchema,
  /** Who signed the release that is being installed, and how many had to; empty where nobody did. */
  report: z.string().max(4_000),
  upload: z.strictObject({ sent: z.int().nonnegative(), of: z.int().nonnegative() }).nullable(),
  steps: z
    .array(
      z.strictObject({
        step: z.enum(setupSteps),
        state: z.enum(["applying", "done", "was-so", "failed", "undoing", "undone"]),
        /** When it began, by the server's clock; `null` where it was right before. */
        beganAt: timeSchema.nullable(),
        tookMs: z.int().nonnegative().nullable(),
      }),
    )
    .max(setupSteps.length),
  /** The server cannot be reached now; what runs there goes on. */
  isAway: z.boolean(),
  isRebooting: z.boolean(),
  /** When it was last heard of, by this machine's clock. */
  heardAt: timeSchema.nullable(),
  /** Attempts to phone home, one from each unit. */
  drill: z
    .array(
      z.strictObject({
        unit: z.string().max(32),
        isBlocked: z.boolean(),
        isCounted: z.boolean(),
      }),
    )
    .max(64),
  node: hex32Schema.nullable(),
  /** What undoing would take away; the server's words. */
  removals: z.array(z.string().max(500)).max(200),
});

const secret = z.string().max(MAX_SECRET_CHARS);

export const signInSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("password"), password: secret }),
  /** A file of ~/.ssh, by its name in `ways`. */
  z.strictObject({ kind: z.literal("key"), name: z.string().max(255), passphrase: secret }),
  /** One that the page was handed. */
  z.strictObject({
    kind: z.literal("key-file"),
    key: z.base64().max(MAX_KEY_BASE64),
    passphrase: secret,
  }),
  z.strictObject({ kind: z.literal("agent") }),
]);

const nothing = z.strictObject({});

/** Each answers at once with the state; what follows is told by `setup.changed`. */
export const setupRequests = {
  "setup.get": { input: nothing, output: setupSchema },
  /** Reads the server's key; signs in nowhere. */
  "setup.begin": { input: z.strictObject({ address: z.string().max(300) }), output: setupSchema },
  /** `pasted` is empty where a person compared by eye. */
  "setup.confirmKey": {
    input: z.strictObject({ pasted: z.string().max(8_192) }),
    output: setupSchema,
  },
  /** The server was installed anew, and its owner knows: its new key is compared by pasting. */
  "setup.forgetKey": { input: nothing, output: setupSchema },
  "setup.signIn": { input: signInSchema, output: setupSchema },
  /** What was asked for, in its order. */
  "setup.answer": {
    input: z.strictObject({ answers: z.array(secret).max(MAX_WISHES) }),
    output: setupSchema,
  },
  "setup.lookAgain": { input: nothing, output: setupSchema },
  "setup.plan": { input: nothing, output: setupSchema },
  /** Opens the shell's own dialog. */
  "setup.chooseRelease": { input: nothing, output: setupSchema },
  "setup.install": { input: planSchema, output: setupSchema },
  /** Tries again what failed. */
  "setup.goOn": { input: nothing, output: setupSchema },
  /** Ends what is under way, on the server too. */
  "setup.cancel": { input: nothing, output: setupSchema },
  "setup.listRemovals": { input: nothing, output: setupSchema },
  "setup.remove": { input: nothing, output: setupSchema },
  /** Forgets all of it here. */
  "setup.leave": { input: nothing, output: setupSchema },
  /** For a person to send to somebody: no address, name, key or secret is in it. */
  "setup.diagnostics": { input: nothing, output: z.strictObject({ text: z.string().max(30_000) }) },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export type Setup = z.infer<typeof setupSchema>;
export type SetupStage = Setup["stage"];
export type SetupPlan = z.infer<typeof planSchema>;
export type SetupWish = z.infer<typeof wishSchema>;
export type SetupSignIn = z.infer<typeof signInSchema>;
export type SetupFinding = Setup["findings"][number];
export type OptionalStep = (typeof optionalSteps)[number];
export type SetupStep = (typeof setupSteps)[number];
export type SetupCheck = (typeof setupChecks)[number];

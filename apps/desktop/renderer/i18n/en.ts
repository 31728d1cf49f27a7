/**
 * English: every text of the page but those of failures.
 *
 * @module
 */
import { chat } from "./en-chat.ts";
import { devices, join, restore } from "./en-devices.ts";
import { egress } from "./en-egress.ts";
import { errors } from "./en-errors.ts";
import { health } from "./en-health.ts";
import { lock } from "./en-lock.ts";
import { models } from "./en-models.ts";
import { setup } from "./en-setup.ts";
import { updates } from "./en-updates.ts";
import { saved } from "./en-saved.ts";

export const en = {
  app: {
    name: "Phantoma",
    loading: "Loading the console",
    skip: "Skip to the content",
    navigation: "Console",
    conversations: "Conversations",
    newConversation: "New conversation",
    retry: "Try again",
    disconnected: "The console does not answer.",
    disconnectedText:
      "It may have been closed. This page connects again by itself once it is back.",
  },
  design: {
    cancel: "Cancel",
    close: "Close",
    copied: "Copied",
    notification: "Notification",
    notifications: "Notifications ({{hotkey}})",
    save: "Save",
  },
  demo: {
    mark: "Demo mode",
    meaning:
      "The node runs on this machine with this machine's rights. The tunnel and the single-use workers are real. Health says what is left of a task here.",
    policyInForce: "The kernel policy is in force here.",
    policyNotInForce: "The kernel enforces nothing here.",
    step: {
      preparing: "Making keys and folders…",
      starting: "Starting the node and loading the model…",
      connecting: "Connecting through the tunnel…",
      stopping: "Stopping the node…",
    },
  },
  welcome: {
    title: "Ask a model that only you can hear",
    text: "Phantoma runs a model on a machine of yours and talks to it through an encrypted tunnel that ends in one short-lived process.",
    factTunnel: "Only this console and that one process ever see a question or an answer.",
    factWorker: "The process serves one conversation, then it ends. It is never used again.",
    factReceipt: "Every end leaves a signed receipt. What was not measured is called not measured.",
    start: "Start a demo node here",
    join: "Join a node by an invitation",
    restore: "Restore from a recovery kit",
    setUp: "Set up a server",
    goOn: "Go on with the set-up",
    setUpText: "A server of yours becomes your node, over SSH. This takes a quarter of an hour.",
    demoText:
      "The demo runs on this machine and needs no server. It shows how everything works; the kernel policy only where this machine lets it.",
  },
  confirm: {
    title: "Is this your node?",
    text: {
      demo: "This is the public key of “{{name}}” in three forms. With a server of your own you compare one of them with what the server shows. The demo node was just started by this console.",
      provisioned:
        "This is the node's public key in three forms. Compare one of them with what the server shows. Continue only if they are the same.",
    },
    yes: "Yes, this is my node",
    no: "No, forget it",
  },
  fingerprint: {
    words: "In words",
    colours: "In colours",
    digits: "In digits",
    colour: {
      black: "black",
      white: "white",
      red: "red",
      orange: "orange",
      yellow: "yellow",
      green: "green",
      blue: "blue",
      purple: "purple",
    },
  },
  keyStore: {
    KEY_FILE:
      "This device's key lies in a file that only your user can read. The desktop application can keep it in the system's key store.",
    KEY_BASIC_TEXT:
      "The system offered no key store, only a fixed password: any program of yours can read the key.",
    KEY_UNAVAILABLE:
      "The system's encryption does not work here, so the key is for this run only. A stored one was not opened.",
    KEY_BACKEND_CHANGED:
      "The system offers another key store than the one that holds the key. It was not opened; the key in use is for this run only.",
  },
  chat,
  devices,
  egress,
  health,
  join,
  lock,
  restore,
  models,
  setup,
  updates,
  saved,
  markdown: {
    code: "code",
    copyCode: "Copy code",
    imageNotLoaded: "Image not loaded: {{name}}",
    imageWithoutName: "no description",
  },
  link: {
    title: "Open this address?",
    text: "It comes from a model's answer. An address can carry parts of your conversation to whoever owns it.",
    copy: "Copy address",
    copied: "Address copied",
    open: "Open in the browser",
  },
  node: {
    title: "Node",
    refresh: "Refresh",
    loading: "Asking the node",
    setUp: "Set up a server",
    stop: "Stop the demo node",
    stopTitle: "Stop the demo node?",
    stopText:
      "Its processes end, and its conversations are gone; saved ones stay here. Another start makes another node, with keys of its own.",
    forget: "Forget",
    forgetTitle: "Forget {{name}}?",
    forgetText:
      "Its conversations end, and its address, its keys and what was seen of its devices are removed from this console.",
    offline: "{{name}} does not answer.",
    stateLabel: "State",
    state: {
      unknown: "not asked yet",
      connecting: "connecting",
      online: "online",
      offline: "offline",
    },
    address: "Address",
    policyLabel: "Kernel policy",
    policy: {
      unknown: "not reported yet",
      none: "none",
      demo: "in force, demo mode",
      enforced: "in force",
    },
    policyReason: "The kernel policy cannot be used on this machine",
    policyDetails: "See Egress",
    roleLabel: "This device may",
    role: { unknown: "not reported yet", admin: "chat and administer", chat: "chat" },
    starterLabel: "Workers are started by",
    starter: { systemd: "systemd, each in a cell of its own", gateway: "the gateway, demo mode" },
    status: "Status",
    version: "Version",
    startedAt: "Running since",
    tasksLive: "Workers serving now",
    tasksDone: "Tasks since the start",
    deviceList: "Device list version",
    release: "Release",
    models: "Models",
    fingerprint: "Fingerprint",
  },
  endpoint: {
    title: "Other programs",
    meaning:
      "Programs of this machine that speak OpenAI's or Anthropic's interface can ask this node through the console, with a key. Web pages cannot. Off again at the next start.",
    off: "Off",
    on: "On",
    openAiAddress: "Base URL for OpenAI's clients",
    anthropicAddress: "Base URL for Anthropic's clients",
    key: "API key",
    copy: "Copy",
    copyKey: "Copy key",
    keyCopied: "The key is in the clipboard. Whoever has it can ask your node from this machine.",
    examples:
      "A program with settings of its own needs the base URL, the key and a model's name. One that reads them from its environment, as the official clients do, is started like this:",
    client: "Interface",
    clients: { openai: "OpenAI", anthropic: "Anthropic", curl: "curl" },
    anyModel: "MODEL",
  },
  receipts: {
    title: "Receipts",
    one: "Receipt",
    loading: "Fetching receipts",
    meaning:
      "The node reports: its keeper signs one when a worker has ended, and this console checked every signature. Each line says only what its witness measured. The wipe grade is of the machine while the task ran: what a task left beside what was overwritten depends on it.",
    none: "No worker has ended since the node started.",
    noneOlder: "The node has none that is older.",
    older: "Older receipts",
    newest: "Newest receipts",
    noneYet: "There is none yet: a receipt is written when a worker has ended.",
    notMeasured: "not measured",
    task: "Task",
    number: "Number",
    begun: "Certified",
    ended: "Ended",
    lasted: "Lasted",
    model: "Model",
    release: "Release",
    noRelease: "none: the node runs from its sources",
    cell: "Memory",
    cellText: "{{end}}; {{bytes}} overwritten at {{time}}",
    grade: "Wipe grade",
    gradeText: "{{grade}}; the keeper's word, from what the node's doctor and the cell found",
    gradeNotRecorded: "not recorded: this receipt is older than grades in receipts",
    cellEnd: {
      finished: "finished",
      timeout: "timed out",
      disconnected: "disconnected",
      crashed: "crashed",
      killed: "killed",
      memory: "out of memory",
    },
    warden: "Network attempts",
    wardenText: "{{attempts}} refused, {{unreported}} not reported; signed by the warden",
    wardenUnsigned:
      "{{attempts}} refused, {{unreported}} not reported; by the keeper's word, for this console was never told the warden's key",
    whose: "Whose task",
    isOwn: "this console's own: its connection proved the same key, model and release",
    isNotOwn: "another device's, or of before this console started",
    save: "Save as file",
    saveAll: "Save all of these as one file",
    saved: "Saved. The command phantoma verify receipt checks it anywhere:",
    copyCheck: "Copy the command that checks it",
    missing: "Receipts {{from}} to {{to}} are missing: the node did not give them.",
    missingOne: "Receipt {{from}} is missing: the node did not give it.",
    signature: "Signature",
    verified: "verified with the node's key",
    copyDocument: "Copy the signed document",
  },
  settings: {
    title: "Settings",
    appearance: "Appearance",
    theme: { system: "As the system", light: "Light", dark: "Dark" },
    key: "This device's key",
    keyBackend: "Kept in",
    keyProtection: "Protection",
    keyProtected: "the system's key store",
    keyNotProtected: "file permissions only",
    keyboard: "Keyboard",
    keys: {
      send: "Send",
      sendKey: "Enter",
      line: "New line",
      lineKey: "Shift + Enter",
      skip: "Skip to the text field",
      skipKey: "Tab, then Enter",
    },
    about: "About",
    version: "Version",
    shell: "Runs in",
    shellName: { electron: "its own window", web: "a browser, served on this machine only" },
  },
  errors,
} as const;

/**
 * The steps of a set-up in their order, and what each changes on the server, in words for whoever agrees to it.
 *
 * @module
 */
export const changes = {
  release: "puts the release into /opt/phantoma, beside nothing else",
  users: "adds a system user for each process, none of which can sign in",
  folders: "makes /var/lib/phantoma, a folder per process",
  settings:
    "switches off core dumps, hibernation and merging of pages; keeps the node's log in memory",
  units: "adds the node's units to /etc/systemd/system, and its port to /etc/phantoma",
  identity: "makes the node's keys and its certificate, on the server",
  devices: "names this device as the node's first admin",
  model: "adds the demo model",
  kernel: "installs the distribution's newest kernel, by apt",
  memory: "puts init_on_free=1 on the kernel's command line, in /etc/default/grub.d",
  reboot: "asks for one reboot, so that this holds",
  firewall: "lets the node's one port in, where the server has a firewall of its own that is on",
  start: "starts the node, now and at every boot",
  drill: "tries to phone home from every unit, which must be refused",
  ssh: "lets SSH take keys only; taken back by the server itself unless a key signs in again",
} as const satisfies Record<string, string>;

export type StepName = keyof typeof changes;
/** What is done to a node that stands. */
export const operations = {
  rollback: "lets the release from before run again",
  rotate:
    "makes the node's next key, which its old one and an admin's device sign; then the old one is erased",
  reset: "forgets the node's keys, its devices and its orders; release and models stay",
} as const satisfies Record<string, string>;

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as [OperationName, ...OperationName[]];

/** What a person may leave out of it, or ask for. */
export interface Choices {
  readonly mayReboot: boolean;
  readonly mayOpenPort: boolean;
  readonly mayUpdateKernel: boolean;
  readonly mayHardenSsh: boolean;
}

/** The steps that change something then. */
export function chosenSteps(choices: Choices): readonly StepName[] {
  const left: Partial<Record<StepName, boolean>> = {
    kernel: choices.mayUpdateKernel,
    memory: choices.mayReboot,
    reboot: choices.mayReboot,
    firewall: choices.mayOpenPort,
    ssh: choices.mayHardenSsh,
  };
  return stepNames.filter((name) => left[name] ?? true);
}

export const stepNames = Object.keys(changes) as [StepName, ...StepName[]];

/**
 * Keys only: SSH takes no password any more, where that was asked for. Nobody is locked out by it:
 *
 *   a key has signed in ──> the server's own way back is armed ──> no passwords ──> a key has signed in anew ──> it stays
 *                                     └── five minutes, or a reboot and five minutes: as it was
 *
 * @module
 */
import { SETUP_DIR, StepError, type Machine } from "../machine.ts";
import { Wanted, type Step } from "../step.ts";

/** The first of its folder: of two values sshd takes the first, and images bring files of their own. */
const SETTINGS_FILE = "/etc/ssh/sshd_config.d/00-phantoma.conf";
const SETTINGS = `# Phantoma: keys only.
PasswordAuthentication no
KbdInteractiveAuthentication no
`;
/** Only in place of a yes: whatever else an admin wrote is as strict, or stricter. */
const ROOT_BY_KEY = "PermitRootLogin prohibit-password\n";
/** As sshd says what it goes by. */
const IN_FORCE = [
  /^passwordauthentication no$/m,
  /^kbdinteractiveauthentication no$/m,
  /^permitrootlogin (?:without-password|prohibit-password|no|forced-commands-only)$/m,
];
const ROOT_BY_ANYTHING = /^permitrootlogin yes$/m;

/** Put there by whoever signs in: a key did so before, and once more without passwords. */
const PROVEN_FILE = `${SETUP_DIR}/ssh-key-proven`;
const CONFIRMED_FILE = `${SETUP_DIR}/ssh-confirmed`;
/** While nobody has confirmed it. */
const TRIAL_FILE = `${SETUP_DIR}/ssh-trial`;

/** Seconds: a person's console reconnects in two, and a slow server in thirty. */
export const TRIAL_SECONDS = 300;
const RELOAD = `[ ! -s /run/sshd.pid ] || kill -HUP "$(cat /run/sshd.pid)"`;
const UNIT = "phantoma-ssh-trial.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
/** Needs nothing of ours but this file: it is the way back. */
const UNIT_TEXT = `[Unit]
Description=Takes an SSH setting back that nobody confirmed

[Service]
Type=exec
ExecStart=/bin/sh -c 'sleep ${TRIAL_SECONDS}; [ -e ${CONFIRMED_FILE} ] && exit 0; rm -f ${SETTINGS_FILE} ${TRIAL_FILE} ${PROVEN_FILE}; ${RELOAD.replaceAll("$", "$$$$")}'

[Install]
WantedBy=multi-user.target
`;

export const ssh: Step = {
  name: "ssh",
  async probe({ machine, order }) {
    if (!order.mayHardenSsh || !machine.isLive) return true;
    return (
      isOurs(machine) &&
      !machine.has(TRIAL_FILE) &&
      machine.has(CONFIRMED_FILE) &&
      (await isInForce(machine))
    );
  },
  async apply({ machine }) {
    const isOnTrial = machine.has(TRIAL_FILE) && isOurs(machine);
    if (isOnTrial && machine.has(CONFIRMED_FILE)) return keep(machine);
    if (!machine.has(PROVEN_FILE)) throw new Wanted("key");
    machine.remove(CONFIRMED_FILE);
    // The way back is there before the first step.
    machine.write(TRIAL_FILE, "");
    await armed(machine);
    machine.remove(SETTINGS_FILE);
    const before = await machine.run("/usr/sbin/sshd", "-T");
    machine.write(SETTINGS_FILE, ROOT_BY_ANYTHING.test(before) ? SETTINGS + ROOT_BY_KEY : SETTINGS);
    try {
      await machine.run("/usr/sbin/sshd", "-t");
      if (!(await isInForce(machine)))
        throw new StepError("its sshd does not go by /etc/ssh/sshd_config.d: nothing was changed");
    } catch (error) {
      machine.remove(SETTINGS_FILE);
      await disarmed(machine);
      throw error;
    }
    await machine.run("/bin/sh", "-c", RELOAD);
    throw new Wanted("sign-in");
  },
  list: ({ machine }) =>
    machine.has(SETTINGS_FILE) ? [`${SETTINGS_FILE}: passwords sign in again over SSH`] : [],
  async undo({ machine }) {
    const was = machine.has(SETTINGS_FILE);
    machine.remove(SETTINGS_FILE);
    await disarmed(machine);
    for (const path of [PROVEN_FILE, CONFIRMED_FILE]) machine.remove(path);
    if (was && machine.isLive) await machine.run("/bin/sh", "-c", RELOAD);
  },
};

async function keep(machine: Machine): Promise<void> {
  await disarmed(machine);
  machine.remove(PROVEN_FILE);
}

/** At a boot it begins anew: a server that nobody reaches afterwards takes it back as well. */
async function armed(machine: Machine): Promise<void> {
  machine.write(UNIT_FILE, UNIT_TEXT);
  await machine.run("systemctl", "daemon-reload");
  await machine.run("systemctl", "--quiet", "enable", UNIT);
  await machine.run("systemctl", "restart", UNIT);
}

async function disarmed(machine: Machine): Promise<void> {
  if (machine.has(UNIT_FILE))
    await machine.succeeds("systemctl", "--quiet", "disable", "--now", UNIT);
  for (const path of [UNIT_FILE, TRIAL_FILE]) machine.remove(path);
}

function isOurs(machine: Machine): boolean {
  return [SETTINGS, SETTINGS + ROOT_BY_KEY].includes(machine.read(SETTINGS_FILE) ?? "");
}

async function isInForce(machine: Machine): Promise<boolean> {
  const said = await machine.run("/usr/sbin/sshd", "-T");
  return IN_FORCE.every((wanted) => wanted.test(said));
}

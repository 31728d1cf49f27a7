/**
 * The other ways into a server, each to its plan or its refusal: nothing is sent, and nothing on it is changed but the
 * users that are made for this.
 *
 * @module
 */
import type { Proof } from "../../proof.ts";
import type { Guest } from "../../vps/guest.ts";
import type { Terminal } from "./terminal.ts";

export interface SignIns {
  readonly proof: Proof;
  readonly say: (text: string) => void;
  readonly guest: Guest;
  readonly terminal: Terminal;
  readonly hostKey: string;
}

const PASSWORD = "a user's own words";
const USERS = { asks: "asks ALL=(ALL) ALL", plain: "" } as const;

export async function showSignIns({
  proof,
  say,
  guest,
  terminal,
  hostKey,
}: SignIns): Promise<void> {
  say("the other ways to sign in");
  for (const [name, rule] of Object.entries(USERS)) {
    await guest.check(`useradd --create-home ${name} && chpasswd`, `${name}:${PASSWORD}\n`);
    if (rule) await guest.check(`cat > /etc/sudoers.d/${name}`, `${rule}\n`);
  }
  const check = (user: string, flags: readonly string[] = []) => {
    const args = ["provision", `${user}@127.0.0.1:${guest.port(22)}`, "--check", ...flags];
    return terminal.run(args, `${PASSWORD}\n`);
  };
  const cases = [
    ["a server whose key nobody confirmed", "plain", [], "ERR_HOST_KEY_UNKNOWN"],
    ["a user that sudo does not allow", "plain", ["--host-key", hostKey], "ERR_SUDO_NOT_ALLOWED"],
    ["root, whose password is locked", "root", [], /ERR_SSH_(?:SIGN_IN|METHOD)/],
    [
      "another host key than before",
      "asks",
      ["--host-key", `SHA256:${"A".repeat(43)}`],
      "ERR_HOST_KEY_CHANGED",
    ],
  ] as const;
  for (const [name, user, flags, code] of cases) {
    const { errors } = await check(user, flags);
    const isRight = typeof code === "string" ? errors.includes(code) : code.test(errors);
    proof.row({ name: `${name} is refused with its code`, holds: isRight, detail: codeIn(errors) });
  }
  const asked = await check("asks");
  const { privilege } = asked.lines[0] ?? {};
  proof.row({
    name: "a user whose sudo asks for a password comes to the plan",
    holds: asked.code === 0 && privilege === "password",
    detail: asked.detail,
  });
  for (const name of Object.keys(USERS))
    await guest.check(`userdel --remove ${name} 2>/dev/null; rm -f /etc/sudoers.d/${name}`);
  await terminal.run([
    "provision",
    `plain@127.0.0.1:${guest.port(22)}`,
    "--check",
    "--forget-host-key",
  ]);
}

function codeIn(errors: string): string {
  return /ERR_[A-Z_]+/.exec(errors)?.[0] ?? errors.trim().slice(-100);
}

/**
 * Where a console that was started again takes a set-up up.
 *
 * @module
 */
import type { KnownHosts } from "@phantoma/provision";
import type { Setup } from "../../ipc/setup.ts";
import type { SetupFile } from "./setup-file.ts";

/** Nobody is asked anything by that, and no server: a question that was open is put again. */
export function resumed(kept: ReturnType<SetupFile["read"]>, hosts: KnownHosts): Partial<Setup> {
  if (!kept?.server) return {};
  const { server, plan, release } = kept;
  const known = hosts.get(server);
  const hostKey = known ? { ...known, isConfirmed: true, mustPaste: false } : null;
  switch (kept.stage) {
    case "host":
    case "removed":
      return {};
    case "key":
      return { server };
    case "sign-in":
    case "preflight":
    case "plan":
      return known ? { stage: "sign-in", server, plan, release, hostKey } : { server };
    case "install":
    case "stopped":
    case "removal":
      return known ? { ...kept, stage: "sign-in", hostKey, isResuming: true } : { server };
    case "proof":
    case "done":
      return { ...kept, hostKey };
  }
}

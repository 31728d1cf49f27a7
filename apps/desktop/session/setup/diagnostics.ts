/**
 * A set-up as a text that a person may send to somebody: what was found and how far it came. Whose server it is, where,
 * and by which keys, is not in it.
 *
 * @module
 */
import type { Setup } from "../../ipc/setup.ts";

export function diagnosticsOf(setup: Setup, version: string): string {
  const { stage, error, hostKey, privilege, isResuming, isAway, plan, release, upload } = setup;
  const lines = [
    `phantoma ${version} on ${process.platform} ${process.arch}`,
    `stage: ${stage}${isResuming ? ", resumed" : ""}${isAway ? ", server out of reach" : ""}`,
    `error: ${error === null ? "none" : `${error.code}: ${error.message}`}`,
    `host key: ${hostKey === null ? "not read" : `${hostKey.algorithm}, ${hostKey.isConfirmed ? "confirmed" : "not confirmed"}`}`,
    `root by: ${privilege ?? "not yet"}`,
  ];
  if (plan)
    lines.push(
      `plan: port ${plan.port}, optional steps ${plan.steps.join(" ") || "none"}, ${release.isUnsigned ? "unsigned" : "signed"} release`,
    );
  if (upload) lines.push(`sent: ${upload.sent} of ${upload.of} bytes`);
  for (const { check, verdict, fact } of setup.findings)
    lines.push(`found ${verdict}: ${check}: ${fact}`);
  for (const { step, state, tookMs } of setup.steps)
    lines.push(`step ${step}: ${state}${tookMs === null ? "" : `, ${tookMs} ms`}`);
  for (const { unit, isBlocked, isCounted } of setup.drill)
    lines.push(
      `drill ${unit}: ${isBlocked ? "refused" : "NOT REFUSED"}, ${isCounted ? "counted" : "NOT COUNTED"}`,
    );
  return redacted(lines.join("\n"), namesOf(setup));
}

/** What says whose server it is. */
function namesOf({ server, plan, release }: Setup): string[] {
  const names = [server?.host, plan?.reach, plan?.name, release.bundle];
  // Everybody's root is nobody's.
  if (server && server.user !== "root") names.push(server.user);
  return names.filter((name) => name !== undefined && name !== "") as string[];
}

const MARK = "[left out]";

function redacted(text: string, names: readonly string[]): string {
  const known = names
    .toSorted((a, b) => b.length - a.length)
    .reduce((before, name) => before.replaceAll(name, MARK), text);
  return known
    .replaceAll(/SHA256:[A-Za-z0-9+/=]{20,}/g, MARK)
    .replaceAll(/\b[0-9a-fA-F]{32,}\b/g, MARK)
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, MARK)
    .replaceAll(/(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])/g, MARK)
    .replaceAll(/(?:\/home|\/Users)\/[^\s/]+/g, MARK);
}

/**
 * How a model gets onto a rented server: pushed through the tunnel, or fetched by the server itself through a
 * window that an admin signed, and nothing else through it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openModelFile, pushModel } from "@phantoma/client";
import { cachedModel } from "../node-under-test.ts";
import type { Proof } from "../proof.ts";
import { startModelHost } from "../vps/model-host.ts";
import { PATIENCE_MS, type ServerUnderTest } from "../vps/server-under-test.ts";
import { places } from "./window/network.ts";
import { modelAt } from "./window/stage.ts";

const STATE_DIR = "/var/lib/phantoma";
const FETCHER = "phantoma-fetcher.service";
/** Where the deadline is not the subject nothing is cut off by it. */
const LIFETIME_MS = 10 * 60_000;
/** Where it is, an emulated processor has started a download and lost warden and keeper by then. */
const SHORT_LIFETIME_MS = 90_000;
/** The guest's clock was set by this one over a connection. */
const CLOCK_MS = 1_500;
/** A download without a piece for so long is cut. */
const SILENCE_MS = 8_000;

export async function showModels(server: ServerUnderTest, proof: Proof): Promise<void> {
  await showPush(server, proof);
  await startModelHost(server.guest);
  await showFetched(server, proof);
  await showClosedEarly(server, proof);
  await showDeadline(server, proof);
}

async function showPush(server: ServerUnderTest, proof: Proof): Promise<void> {
  const { guest, peer } = server;
  const file = await openModelFile(await cachedModel("tiny"), "pushed");
  const { digest, bytes } = file;
  try {
    await pushModel(file, peer);
  } finally {
    await file.close();
  }
  const isWhole = await server.ask((session) => session.verifyModel(digest));
  const path = `${STATE_DIR}/models/${digest}.gguf`;
  const stored = (await guest.check(`stat -c '%U %a %s' ${path}`)).trim();
  const left = (await guest.check(`ls ${STATE_DIR}/incoming`)).trim();
  proof.row({
    name: "a model pushed through the tunnel is stored whole, the keeper's, and nobody's to change",
    holds: isWhole && stored === `phantoma-keeper 444 ${bytes}` && left === "",
    detail: stored,
  });
}

async function showFetched(server: ServerUnderTest, proof: Proof): Promise<void> {
  const model = modelAt("/owner/repo/resolve/main/model.gguf");
  await server.openWindow(model, LIFETIME_MS);
  const { transfers } = await server.windowThat(({ open }) => open === null);
  const { state, error } = transfers[0] ?? { state: "none", error: null };
  const { models, isWhole } = await server.ask(async (session) => ({
    models: await session.models(),
    isWhole: await session.verifyModel(model.digest),
  }));
  proof.row({
    name: "a window lets the fetcher get the listed file from its host's CDN, and closes itself",
    holds: state === "stored" && isWhole && models.some(({ digest }) => digest === model.digest),
    detail: error ?? state,
  });
  await showNothingIsLeft(server, proof, "after a file that arrived");
}

/** While it is open the unit that may is let through, and a worker is not; closed, nobody is. */
async function showClosedEarly(server: ServerUnderTest, proof: Proof): Promise<void> {
  await server.openWindow(modelAt("/endless.gguf"), LIFETIME_MS);
  await server.windowThat(({ transfers }) => (transfers[0]?.received ?? 0) > 0);
  const during = await server.windowOfWarden();
  const connected = Promise.withResolvers<void>();
  const fetcher = server.inPlaceOf(FETCHER, CONNECTING, () => connected.resolve());
  await Promise.race([connected.promise, fetcher]);
  const worker = await server.inPlaceOf("phantoma-worker.slice/probe", CONNECTING);
  const { events, policy } = await server.ask((session) => session.egress());
  proof.row({
    name: "an open window is the fetcher's alone: from a worker's place it is refused, and in the log",
    holds:
      during !== null &&
      worker.join(" ") === "EPERM" &&
      policy?.isInForce === true &&
      events.some(({ unit, address }) => unit === "worker" && address === places.models),
    detail: `worker ${worker.join(" ")}`,
  });
  await server.ask((session) => session.closeWindow());
  const seen = (await fetcher).join(" ");
  proof.row({
    name: "closed early, it is closed at once, in the kernel as well",
    holds: seen === "connected EPERM" && (await server.windowOfWarden()) === null,
    detail: `from the fetcher's place: ${seen}`,
  });
  await showNothingIsLeft(server, proof, "after a window that was closed early");
}

/** Warden and keeper are dead and stay so: only the kernel is left to do it. */
async function showDeadline(server: ServerUnderTest, proof: Proof): Promise<void> {
  const { guest } = server;
  const units = ["phantoma-warden", "phantoma-keeper"];
  await guest.check(
    units
      .map((unit) => `/run/systemd/system/${unit}.service.d`)
      .map((dir) => `mkdir -p ${dir} && printf '[Service]\\nRestart=no\\n' > ${dir}/dead.conf`)
      .concat("systemctl daemon-reload")
      .join(" && "),
  );
  const deadline = await server.openWindow(modelAt("/endless.gguf"), SHORT_LIFETIME_MS);
  await server.windowThat(({ transfers }) => (transfers[0]?.received ?? 0) > 0);
  // Not our fetcher, which would stop by itself: a program that reads on for ever.
  const begun = Promise.withResolvers<void>();
  const download = server.inPlaceOf(FETCHER, DOWNLOADING, () => begun.resolve());
  await Promise.race([begun.promise, download]);
  const states = (
    await guest.check(`systemctl kill --signal=KILL ${units.join(" ")}
      for i in $(seq 50); do
        [ "$(systemctl is-active ${units.join(" ")} | sort -u)" = failed ] && break
        sleep 0.2
      done
      systemctl is-active ${units.join(" ")} || true`)
  ).trim();
  const isTooLate = Date.now() > deadline;
  const [, last = "0", after = "nothing"] = (await download).join(" ").split(" ");
  const gap = Number(last) - deadline;
  proof.control(
    "the download ran to the end of the window, with warden and keeper killed",
    !isTooLate && states === "failed\nfailed" && gap > -CLOCK_MS,
    states.replace("\n", ", "),
  );
  proof.row({
    name: "at the deadline the kernel alone cuts what runs, and refuses a new connection",
    holds: gap < CLOCK_MS && after === "EPERM",
    detail: `last byte ${gap} ms after it, then ${after}`,
  });
  await guest.check(
    `rm /run/systemd/system/*/dead.conf && systemctl daemon-reload && systemctl start ${units.join(" ")}`,
  );
  const { open } = await server.windowThat(() => true);
  const { policy } = await server.ask((session) => session.egress());
  proof.row({
    name: "warden and keeper come back to a closed window and a policy in force",
    holds: open === null && policy?.isInForce === true,
  });
  await showNothingIsLeft(server, proof, "after a deadline that nobody saw");
}

async function showNothingIsLeft(
  { guest }: ServerUnderTest,
  proof: Proof,
  when: string,
): Promise<void> {
  const look = async () =>
    (await guest.check(`ls ${STATE_DIR}/orders ${STATE_DIR}/quarantine`))
      .split("\n")
      .filter((name) => name !== "" && !name.endsWith(":"));
  const late = Date.now() + PATIENCE_MS;
  let left = await look();
  while (left.length > 0 && Date.now() < late) {
    await sleep(1_000);
    left = await look();
  }
  proof.row({
    name: `no order and no piece of a file is left ${when}`,
    holds: left.length === 0,
    detail: left.join(", "),
  });
}

/** Connects again and again until it is refused, and says each answer once. */
const CONNECTING = `
const { connect } = require("node:net");
let last = "";
const say = (answer) => answer !== last && console.error((last = answer));
const again = () => connect(443, "${places.models}")
  .on("connect", function () { say("connected"); this.destroy(); setTimeout(again, 20); })
  .on("error", ({ code }) => { say(code); process.exit(); });
again();`;

/** Says that something comes; when nothing has come for a while, when the last piece did, and what a new connection gets. */
const DOWNLOADING = `
const { request } = require("node:https");
const { connect } = require("node:net");
const host = "${places.models}";
let last = 0;
const asked = request({ host, servername: "models.test", path: "/endless.gguf", rejectUnauthorized: false });
asked.on("response", (response) => response.on("data", () => {
  if (last === 0) console.error("comes");
  last = Date.now();
}));
asked.on("error", () => undefined);
asked.end();
const end = (answer) => { console.error(last, answer); process.exit(); };
setInterval(() => {
  if (last > 0 && Date.now() - last > ${SILENCE_MS})
    connect(443, host).on("connect", () => end("connected")).on("error", ({ code }) => end(code));
}, 500);`;

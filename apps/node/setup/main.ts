/**
 * Sets a node's state up, once, as its owner: keys, first device list, models. Prints JSON.
 *
 *   main.ts init --state DIR                      makes identity and TLS key, prints the public parts
 *   main.ts pin-devices --state DIR --list FILE   places device list 1 and pins its hash
 *   main.ts add-model --state DIR --file F --name N
 *   main.ts next-key --state DIR --dir D          makes the key that comes next; root's, as the two below
 *   main.ts rotate --state DIR --dir D --from K   puts it in the place of K; says `stale` where the devices changed since
 *   main.ts keep-key --dir D --state DIR          gives it up
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  documentHash,
  ed25519FromSeed,
  exportNodeIdentity,
  generateNodeIdentity,
  openFirstDeviceList,
} from "@phantoma/crypto";
import { GENESIS_FILE, listPath } from "../devices/device-list-folder.ts";
import { addModel, cataloguePath, writeCatalogue } from "../models/model-store.ts";
import { statePaths } from "./paths.ts";
import { readPublicFile, writeNewFile, writePublicFile } from "./public-file.ts";
import { abandonRotation, prepareRotation, rotate } from "./rotation.ts";
import { makeTlsIdentity } from "./tls-identity.ts";

/** 64 KiB: ours has 1 KB, and nobody else may have laid it there. */
const MAX_CERTIFICATE_BYTES = 65_536;
const SEED_BYTES = 32;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: "string" },
    list: { type: "string" },
    file: { type: "string" },
    name: { type: "string" },
    dir: { type: "string" },
    from: { type: "string" },
  },
});
const paths = statePaths(wanted("state"));

switch (positionals[0]) {
  case "init":
    print(await init());
    break;
  case "pin-devices":
    pinDevices(wanted("list"));
    print({ pinned: true });
    break;
  case "add-model":
    print(await addModel(paths.modelsDir, wanted("file"), wanted("name")));
    break;
  case "next-key":
    print(prepareRotation(paths, wanted("dir")));
    break;
  case "rotate":
    print({ end: rotate(paths, wanted("dir"), wanted("from")) });
    break;
  case "keep-key":
    abandonRotation(wanted("dir"));
    print({ end: "kept" });
    break;
  default:
    fail(
      "usage: init | pin-devices --list FILE | add-model --file FILE --name NAME | next-key | rotate | keep-key",
    );
}

/** Makes what is missing and never replaces a key: a node keeps its name. */
async function init(): Promise<{ nodeKey: string; wardenKey: string; tlsCertificate: string }> {
  for (const dir of [paths.keeperDir, paths.gatewayDir, paths.incomingDir, paths.wardenDir])
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const dir of [
    paths.devicesDir,
    paths.modelsDir,
    paths.ordersDir,
    paths.quarantineDir,
    paths.heraldDir,
    paths.updatesDir,
    paths.outcomeDir,
  ])
    mkdirSync(dir, { recursive: true, mode: 0o755 });
  const keyPath = join(paths.keeperDir, "node.key");
  const publicPath = join(paths.devicesDir, "node.pub");
  const certificatePath = join(paths.gatewayDir, "tls.crt");
  if (!existsSync(publicPath)) {
    const identity = generateNodeIdentity();
    const secret = exportNodeIdentity(identity);
    writeNewFile(keyPath, secret.expose(), 0o600);
    secret.erase();
    const tls = await makeTlsIdentity();
    writeNewFile(join(paths.gatewayDir, "tls.key"), tls.keyPem, 0o600);
    writeNewFile(certificatePath, tls.certificatePem, 0o644);
    // Models of an earlier identity stay.
    if (!existsSync(cataloguePath(paths.modelsDir))) writeCatalogue(paths.modelsDir, []);
    writePublicFile(publicPath, Buffer.from(identity.signing.publicKey).toString("hex"));
  }
  // A node of an earlier release has none yet.
  const wardenPath = join(paths.wardenDir, "receipt.key");
  if (!existsSync(wardenPath)) {
    const seed = randomBytes(SEED_BYTES);
    writeNewFile(wardenPath, seed, 0o600);
    seed.fill(0);
  }
  return {
    nodeKey: readFileSync(publicPath, "ascii"),
    wardenKey: publicKeyIn(wardenPath),
    tlsCertificate: readPublicFile(certificatePath, MAX_CERTIFICATE_BYTES).toString("ascii"),
  };
}

/** What a device checks the warden's part of a receipt with: told at set-up, and by nobody later. */
function publicKeyIn(path: string): string {
  const seed = readPublicFile(path, SEED_BYTES);
  const { publicKey } = ed25519FromSeed(seed);
  seed.fill(0);
  return Buffer.from(publicKey).toString("hex");
}

function pinDevices(listFile: string): void {
  const list = readFileSync(listFile);
  const node = Buffer.from(readFileSync(join(paths.devicesDir, "node.pub"), "ascii"), "hex");
  openFirstDeviceList(list, node, documentHash(list));
  const genesisPath = join(paths.devicesDir, GENESIS_FILE);
  if (existsSync(genesisPath)) fail("this node has its first device list already");
  writePublicFile(listPath(paths.devicesDir, 1), list);
  writePublicFile(genesisPath, Buffer.from(documentHash(list)).toString("hex"));
}

function wanted(name: keyof typeof values): string {
  return values[name] ?? fail(`--${name} is missing`);
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

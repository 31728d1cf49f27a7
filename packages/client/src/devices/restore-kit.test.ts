/** What a kit makes of the node that it is restored at: which list it goes on from, and whose next key it follows. */
import {
  deviceListDocument,
  generateDeviceIdentity,
  generateNodeIdentity,
  openNextDeviceList,
  successionDocument,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ControlKind } from "@phantoma/protocol";
import { beforeEach, expect, test } from "vitest";
import { makeTlsIdentity } from "../../../../apps/node/setup/tls-identity.ts";
import { signSuccession } from "../succession.ts";
import { TestGateway } from "../test-gateway.ts";
import { describeDevice, signAddedDevice, signFirstDeviceList } from "./device-lists.ts";
import { addKit, newKit, restoreFromKit, type RecoveryKit } from "./recovery-kit.ts";

const desk = generateDeviceIdentity();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const refused = expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY" });

let gateway: TestGateway;
/** What the node shows, version 1 first. */
let lists: Uint8Array[];
let newest: VerifiedDeviceList;
let submitted: Uint8Array[];

beforeEach(async () => {
  gateway = await TestGateway.start(await makeTlsIdentity());
  submitted = [];
  gateway.onMessage = (event, process) => {
    if (event.type === "end") return;
    const asked = JSON.parse(event.bytes.subarray(1).toString());
    const say = (response: object) =>
      process.say(event.stream, ControlKind.response, response, true);
    const text = (list: Uint8Array) => Buffer.from(list).toString("base64");
    if (asked.request === "devices") say({ response: "devices", document: text(lists.at(-1)!) });
    if (asked.request === "device-lists")
      say({ response: "lists", documents: lists.slice(asked.after).map(text) });
    if (asked.request === "submit-device-list") {
      submitted.push(Buffer.from(asked.document, "base64"));
      say({ response: "accepted" });
    }
  };
  begin(gateway.node.signing.publicKey);
});

function begin(node: Uint8Array): void {
  const { list, verified } = signFirstDeviceList(desk, "desk", node, 1);
  [lists, newest] = [[list], verified];
}

function add(next: Uint8Array): void {
  newest = openNextDeviceList(next, newest);
  lists.push(next);
}

/** A kit of the gateway's device, in the list after `newest`. */
function kitHere(profile = gateway.profile): RecoveryKit {
  const kit = { ...newKit(profile, newest, 2), identity: gateway.device };
  add(addKit(desk, newest, kit, 2));
  return kit;
}

function restore(kit: RecoveryKit) {
  const fresh = generateDeviceIdentity();
  return restoreFromKit(
    kit,
    fresh,
    "fresh",
    async () => [],
    () => 9,
  );
}

const phone = () => describeDevice(generateDeviceIdentity(), "phone", "chat");

test("a kit follows the lists since it was made, and signs on the newest", async () => {
  const kit = kitHere();
  add(signAddedDevice(desk, newest, phone(), 3));
  const { list } = await restore(kit);
  expect(list.devices.map(({ name }) => name).at(-1)).toBe("fresh");
  expect(openNextDeviceList(submitted[0]!, newest).version).toBe(4);
});

test("a kit signs nothing on a list older than the one that it was added to, or on another's", async () => {
  add(signAddedDevice(desk, newest, phone(), 2));
  const kit = kitHere();
  const [first, , third] = lists;
  // The node made up an admin, who let the kit in.
  const thief = generateDeviceIdentity();
  const { devices } = deviceListDocument.open(third!, ({ signer }) => signer);
  const { node, previous } = newest;
  const made = {
    node,
    version: 3,
    previous,
    issuedAt: 3,
    signer: thief.signing.publicKey,
    devices,
  };
  const forged = deviceListDocument.sign(made, thief.signing.privateKey);
  for (const shown of [[first!], [first!, lists[1]!, forged]]) {
    lists = shown;
    await expect(restore(kit)).rejects.toThrow(refused);
  }
  expect(submitted).toEqual([]);
});

test.each([
  ["is followed where an admin whom the kit has seen approved it", desk, true],
  ["is not followed where another admin did", generateDeviceIdentity(), false],
])("a node's next key %s", async (_name, approver, isFollowed) => {
  const before = generateNodeIdentity();
  begin(before.signing.publicKey);
  const kit = kitHere({ ...gateway.profile, nodeKey: hex(before.signing.publicKey) });
  const by = describeDevice(approver, "approver", "admin");
  if (!isFollowed) add(signAddedDevice(desk, newest, by, 3));
  const to = gateway.node.signing.publicKey;
  const { list, approved, approval } = signSuccession(approver, newest, to, 4);
  const document = successionDocument.sign({ ...approved, approval }, before.signing.privateKey);
  gateway.refuse = ({ node }) =>
    hex(node) === hex(to)
      ? undefined
      : {
          code: "ERR_NODE_SUCCEEDED",
          nodeTime: 5,
          succession: Buffer.from(document).toString("base64"),
        };
  lists = [list];
  if (!isFollowed) return expect(restore(kit)).rejects.toThrow(refused);
  const { profile } = await restore(kit);
  expect(profile.nodeKey).toBe(gateway.profile.nodeKey);
  expect(profile.formerKeys).toEqual([kit.profile.nodeKey]);
});

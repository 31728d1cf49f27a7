/**
 * English: devices of a node, pairing a new one, and recovery kits.
 *
 * @module
 */
export const devices = {
  title: "Devices",
  loading: "Asking the node",
  meaning:
    "Every device has keys of its own, which never leave it. An admin's device signs the list of those that may use the node; gateway, keeper and warden each check it.",
  listTitle: "Device list {{version}}",
  role: { admin: "admin", chat: "chat" },
  roleLabel: "Role",
  roleOf: "What may {{name}} do?",
  roleText:
    "“chat” asks and sees receipts of its own. “admin” may do all that, and changes devices, models and windows.",
  name: "Name",
  isThis: "this device",
  isKit: "on no machine",
  revoked: "revoked",
  addedAt: "added {{time}}",
  revokedAt: "revoked {{time}}",
  seen: "seen in the hour from {{time}}",
  notSeen: "not seen since the node started",
  menu: "What to do with {{name}}",
  do: {
    compare: "Compare safety number",
    rename: "Rename",
    role: "Change role",
    revoke: "Revoke",
  },
  rename: { title: "Rename {{name}}" },
  revoke: {
    title: "Revoke {{name}}?",
    text: "Its sessions end within a second, and the node lets it in no more. This cannot be undone; it can be paired anew with new keys.",
    thisText:
      "This is the device in front of you. Its sessions end, this console loses the node, and only another admin can take it in again.",
  },
  compare: {
    title: "This device and {{name}}",
    text: "Open the same on the other device. If both show the same words, the node shows both devices the same keys.",
    words: "Safety number in words",
  },
  picture: "The code as a QR picture",
  copyCode: "Copy the code",
  until: "Good until {{time}}, for one device.",
  sixWords: "Six words",
  add: {
    begin: "Add a device",
    title: "Add a device",
    first: "On the new device choose “Join a node by an invitation”, and give it this invitation.",
    invitation: "The invitation; it holds nothing secret.",
    second: "Then paste the code that the new device shows:",
    look: "Look at the code",
    compare:
      "Does the new device show these six words? If one differs, somebody changed a key on its way.",
    same: "Yes, the same six words",
    differ: "No, they differ",
  },
  kit: {
    title: "Recovery kit",
    text: "A file with an admin's key that no machine has, sealed under a passphrase. When a machine is lost, the kit takes the new one in, revokes the lost one and brings the saved conversations back.",
    passphrase: "Passphrase of the kit",
    make: "Make a kit",
    makeWords: "Make one with words to print",
    made: "The kit is made. It was read back and opened again, and the node has its key.",
    words: "Its passphrase. Write it on paper now: it is not shown again.",
    opensSaved: "It opens the conversations that are saved at this node, too.",
    opensNoSaved:
      "It opens no saved conversations. Once this device keeps some at this node, make another kit.",
    keep: "Move the file off this machine, and keep it and its passphrase apart.",
    check: "Check a kit",
    checkNow: "Check it",
    file: "The kit's file",
    standing: {
      good: "This kit opens, and the node would take its signature.",
      revoked: "This kit opens, but the node's list does not have it any more. Make a new one.",
      aged: "This kit opens, but the node has another key since it was made. Make a new one.",
      other: "This kit opens, but it is another node's.",
    },
  },
} as const;

export const join = {
  title: "Join a node",
  text: "A device that is an admin there makes an invitation: in its console under Devices, or with phantoma devices invite.",
  invitation: "The invitation",
  name: "What this device is called",
  next: "Go on",
  compareTitle: "Join {{name}}",
  compareText:
    "Give the admin's device this code. It then shows six words. Go on only if they are these.",
  code: "This device's code; it holds public keys, nothing secret.",
  waiting: "Waiting until the admin's device has signed…",
} as const;

export const restore = {
  title: "Restore from a recovery kit",
  text: "The kit's key signs one list: this device comes in as an admin, and what is lost is revoked.",
  open: "Open the kit",
  lostTitle: "What of {{name}} is lost?",
  lostText: "What you choose is revoked at once. What you leave keeps working.",
  lost: "Lost devices",
  sign: "Take this device in and revoke {{count}}",
} as const;

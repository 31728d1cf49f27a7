/**
 * English: saved conversations.
 *
 * @module
 */
export const saved = {
  title: "Saved",
  newest: "Saved",
  save: "Save",
  done: "Saved as it is now. What is said later is saved when you save again.",
  meaning:
    "A conversation is forgotten with the console unless you save it. Saved ones are sealed on this machine; a sync keeps them, sealed, at the node too, for your devices that were admitted. The node cannot read them.",
  loading: "Opening what is saved",
  none: "Nothing is saved.",
  nothingFound: "Nothing saved has all of these words.",
  more: "{{count}} more: search for them.",
  search: "Search saved conversations",
  open: "Open",
  messages_one: "{{count}} message",
  messages_other: "{{count}} messages",
  notSynced: "not at the node yet",
  here: "On this machine only.",
  atNode: "Kept at the node too, sealed.",
  sync: "Sync with the node",
  synced: "{{taken}} came, {{given}} sent; {{percent}} % of the room at the node is used.",
  exportAll: "Export all",
  exportOne: "Export as Markdown",
  exported: "Written to this file, which is not sealed:",
  import: "Import a file",
  imported_one: "{{count}} conversation came.",
  imported_other: "{{count}} conversations came.",
  devices: "Your other devices",
  devicesText:
    "Only devices that are yours: whoever has one reads everything that is saved. A device first asks for it there, then it is admitted on one that has it.",
  admit: "Admit {{name}}",
  admitted: "{{name}} has it from its next sync on.",
  join: "Ask {{name}} for what it saved",
  joined: "Now admit this device on {{name}}, then sync here.",
  own: "This device shows",
  compare: "Is this what {{name}} shows?",
  compareText:
    "Look at it there: on its page of saved conversations, or with “phantoma vault status”. Continue only if it is the same, for whoever has that key reads everything that is saved.",
  same: "Yes, it is the same",
  delete: "Delete",
  deleteTitle: "Delete “{{title}}”?",
  deleteText:
    "Its key is overwritten on this machine now, so nothing here can open it any more. The node overwrites its key and its copy at the next sync, your other devices at theirs. A backup, an export, or a copy that somebody made of the node's disk before is not reached.",
} as const;

/**
 * English: reports to a control plane, licences, and updates of a node.
 *
 * @module
 */
export const updates = {
  title: "Updates & reports",
  loading: "Asking the node",
  versionTitle: "Release",
  runs: "Runs",
  last: "Last update",
  lastGood: "{{version}} was installed {{time}}",
  lastBad: "{{version}} was not installed: {{code}}, {{time}}",
  lastNone: "none so far",
  policy: "Before an update",
  policyAsk: "an admin is asked each time",
  policyAutomatic: "nobody is asked: the node installs what its quorum signed",
  setAutomatic: "Ask nobody: install what the quorum signed",
  setAsk: "Ask an admin each time",
  waitingTitle: "Release {{version}} waits",
  waitingText:
    "This machine read its signatures through the tunnel and checked them itself; the node's word for them does not count.",
  notARelease: "This machine does not find it to be a release.",
  nothing: "No newer release lies on the node.",
  fromFile:
    "A node that fetches none is given one from a folder: phantoma update approve --from FOLDER",
  approve: "Approve {{version}}",
  approved: "Approved. The node installs it, and says here how that ended.",
  reportsTitle: "Reports",
  reportsText:
    "What the node tells a control plane, byte for byte, each time. Nothing a person writes has a place in it.",
  silent: "The node reports to nobody.",
  reporting: "The node reports until {{time}}, and may reach for it",
  place: "{{name}} at {{address}}, port {{port}}",
  stop: "Send nothing from now on",
  stopped: "The node sends nothing.",
  sentTitle: "Sent since the node started",
  sentNone: "nothing so far",
  sentAt: "When",
  sentOutcome: "What became of it",
  sentSays: "What it says",
  sentBytes: "The bytes",
  says: "number {{sequence}}, keys {{root}}, list {{targets}}, {{health}}",
  outcome: {
    waiting: "not carried yet",
    answered: "answered",
  },
  licencesTitle: "Licences",
  licence: "{{edition}}, for {{holder}}, until {{time}}",
  licencesNone: "none: chat, models and updates from a folder need no licence",
  standing: {
    early: "not begun",
    valid: "valid",
    grace: "over, and still good",
    ended: "over",
  },
  licenceFile: "A licence from a file",
  licenceTaken: "The node has this licence now.",
} as const;

/** The texts of restoring, in the shape of ../text.ts. */

import { translated } from "../language";

export const text = {
  snapshots: "Snapshots",
  noSnapshots: "Nothing was saved yet.",
  noSnapshotsHint: "Sessions are saved by themselves at each change; 'persist save' on the host saves them now.",
  newest: "newest",
  beforeBoot: "before the host came up",
  holds: (sessions: number, panes: number) =>
    `${sessions} ${sessions === 1 ? "session" : "sessions"}, ${panes} ${panes === 1 ? "pane" : "panes"}`,
  damaged: "Snapshots that cannot be used",
  tryAgain: "Try again",
  comesBack: "Not there now",
  comesBackHint: "What is ticked comes back.",
  closed: "Closed",
  closedHint: "Closed on purpose: these come back only if you tick them.",
  there: (count: number) => `There already: ${count}`,
  changed: (count: number) => `Changed since: ${count}`,
  newer: (count: number) => `Newer than this snapshot: ${count}`,
  nothingMissing: "Everything in this snapshot is there.",
  lostAt: (when: string) => `lost ${when}`,
  closedAt: (when: string) => `closed ${when}`,
  was: (name: string) => `was ${name}`,
  paneNew: "new",
  paneGone: "gone",
  unset: "nothing",
  nowIs: (field: string, from: string, to: string) => `${field}: ${from}, now ${to}`,
  history: "History",
  historyOf: (name: string) => `History of ${name}`,
  noHistory: "No snapshot has it.",
  inSnapshots: (count: number) => (count === 1 ? "1 snapshot" : `${count} snapshots`),
  wouldRestore: (sessions: number) => `Restore ${sessions} ${sessions === 1 ? "session" : "sessions"}`,
  starts: (eager: number, lazy: number) =>
    `${
      [
        eager > 0 ? `${eager} ${eager === 1 ? "agent starts" : "agents start"} at once` : "",
        lazy > 0 ? `${lazy} ${lazy === 1 ? "waits" : "wait"} for Enter` : "",
      ]
        .filter(Boolean)
        .join(", ") || "No agent starts"
    }.`,
  costs: (cost: string, free: string) => `About ${cost} of memory, of ${free} that are free.`,
  free: (free: string) => `${free} of memory are free.`,
  tooMuch: "That may be more than there is: untick some, or start their agents later.",
  running: "A restore runs.",
  restoringHere: "A restore of your sessions runs already, from another page. This page looks again by itself.",
  notYet: "not there yet",
  done: (back: number) => `${back} ${back === 1 ? "session is" : "sessions are"} back.`,
  notAll: "Not everything came back: the reasons stand at the panes.",
  memory: "Memory",
  noneSuspended: "No agent was suspended in the last 30 days.",
  gaveBack: (size: string) => `gave back ${size}`,
  suspended: "suspended",
  woken: "resumed",
  resume: "Resume",
  earlierEvents: (count: number) => `Suspended and resumed: ${count}`,
  fields: {
    cwd: "directory",
    conversation: "conversation",
    agent: "agent",
    state: "state",
    window_name: "window name",
    window_layout: "layout",
    title: "title",
    command: "command",
  } as Record<string, string>,
  paneStates: { live: "agent", suspended: "suspended", lost: "lost", shell: "shell" },
  actions: {
    new: () => "made anew",
    skip: () => "left alone",
    in_place: () => "back in its pane",
    renamed: (target: string) => `as ${target}`,
  },
  modes: { eager: "its agent starts at once", lazy: "its agent waits for Enter" } as Record<string, string>,
};

translated("restore", { text });

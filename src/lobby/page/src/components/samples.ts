/** What the components show on the sheet. */

import type { Plan, PlanRow } from "../api";
import type { Message } from "../conversation/reading";
import type { Past } from "../restore/api";
import type { Session, State } from "../sessions";

/** The moment of the sheet, in seconds since the epoch: the same picture each time. */
export const NOW = 1_795_000_000;

const session = (name: string, state: State, more: Partial<Session> = {}): Session => ({
  key: name,
  id: name,
  name,
  state,
  directory: "~/code/shop",
  windows: 1,
  panes: 1,
  viewers: 0,
  changed: NOW - 60,
  live: true,
  ...more,
});

const agent = { agent: "claude", model: "opus", memory: 412 << 20 };

export const SESSIONS: Session[] = [
  session("checkout", "waiting", { ...agent, waiting_for: "permission prompt", title: "Keep the query through the login", since: NOW - 500, branch: "checkout" }),
  session("orders", "working", { ...agent, title: "Write the migration for orders", since: NOW - 90, commands: 2, viewers: 1 }),
  session("docs", "idle", { ...agent, title: "Describe the new limits", since: NOW - 7200 }),
  session("review", "unknown", { agent: "codex" }),
  session("search-index", "suspended", { ...agent, memory: 3 << 20 }),
  session("alpha", "shell", { windows: 3, panes: 5 }),
  session("שלום web 2", "shell", { directory: "~/code/שלום" }),
  session("nightly", "lost", { live: false, changed: NOW - 3600 }),
  session("api", "saved", { live: false }),
  session("spike", "ended", { live: false, changed: NOW - 9000 }),
  session("scratch", "shell", { ending: true }),
];

const pane = (name: string, more: Partial<PlanRow> = {}): PlanRow => ({
  session: name,
  name,
  window: 0,
  pane: 0,
  directory: "~/code/shop",
  action: "new",
  target: name,
  selected: true,
  reason: "",
  mode: null,
  ...more,
});

export const PLAN: Plan = {
  rows: [
    pane("nightly", { agent: "claude", mode: "eager" }),
    pane("nightly", { window: 1, action: "in_place" }),
    pane("api", { agent: "codex", mode: "lazy", reason: "waited for Enter before" }),
    pane("orders", { action: "renamed", target: "orders-1432", reason: "its name is taken" }),
    pane("spike", { selected: false, closed: NOW - 9000, reason: "closed on purpose: done" }),
    pane("alpha", { action: "skip", selected: false }),
  ],
  notes: [],
  agents: { eager: 1, lazy: 1 },
  agent_memory: 550 << 20,
  free: 5 * 2 ** 30,
  changes: [
    {
      session: "alpha",
      name: "alpha",
      change: "changed",
      fields: [{ window: 0, pane: 0, change: "changed", field: "cwd", from: "~/code/shop", to: "~/code/api" }],
    },
    { session: "scratch", name: "scratch", change: "added", fields: [] },
  ],
};

export const DONE: Plan = {
  ...PLAN,
  rows: PLAN.rows.map((row) => ({
    ...row,
    result: row.closed ? "not selected" : row.name === "api" ? "failed: its directory does not answer" : row.action === "skip" ? "skipped" : "restored",
  })),
};

export const PAST: Past = {
  goings: [],
  memory: [
    { time: NOW - 4000, name: "search-index", kind: "suspended", bytes: 390 << 20 },
    { time: NOW - 90_000, name: "docs", kind: "woken" },
  ],
  free: 5 * 2 ** 30,
  notes: [],
};

export const MESSAGES: Message[] = [
  { at: 1, part: 0, type: "prompt", text: "Where is the query dropped at the login?", images: 1 },
  { at: 2, part: 0, type: "thought", text: "The redirect is made anew." },
  { at: 3, part: 0, type: "call", id: "1", tool: "Bash", summary: "grep -rn redirect src/auth", size: 120 },
  { at: 4, part: 0, type: "result", id: "1", failed: false, summary: "src/auth/redirect.ts", size: 900, images: 0 },
  { at: 5, part: 0, type: "call", id: "2", tool: "Bash", summary: "npm test", size: 80 },
  { at: 6, part: 0, type: "note", text: "The conversation was made shorter." },
  {
    at: 7,
    part: 0,
    type: "answer",
    text: "## Found\n\nIn `auth/redirect.ts`, **one line**:\n\n```ts\nreturn redirect(to.pathname);\n```\n\n| before | after |\n|---|---|\n| pathname | pathname and query |\n\n- with a test\n- see https://example.org/\n\n> שלום, and back",
  },
];

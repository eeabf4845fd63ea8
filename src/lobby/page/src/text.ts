/** The texts of the list, which are loaded with it; those of what is loaded later are in text-later.ts, and beside their parts. */

import { translated } from "./language";
import type { Line } from "./line";
import type { State } from "./sessions";

export const states: Record<State, string> = {
  waiting: "waiting for you",
  starting: "starting",
  working: "working",
  idle: "idle",
  unknown: "state unknown",
  suspended: "suspended",
  shell: "shell",
  lost: "lost",
  saved: "saved",
  ended: "ended",
};

/** What is wrong with the line, and what to do. */
export const lines: Record<Exclude<Line, "online">, { what: string; advice: string }> = {
  connecting: { what: "Connecting…", advice: "" },
  offline: { what: "This browser is offline.", advice: "Your sessions go on; this page comes back by itself." },
  gateway: { what: "The lobby does not answer.", advice: "Your sessions go on; this page tries again. On your own machine: is 'lobby open' running?" },
  agent: { what: "The lobby answers, but your part of it does not.", advice: "It is tried again. If this stays, ask an admin for the state of lobby-agent." },
  "logged out": { what: "This browser is not logged in.", advice: "" },
  cut: { what: "You may not use this lobby.", advice: "Your access was ended, or you look at what is not yours. Ask an admin." },
};

export const text = {
  title: "Lobby",
  search: "Search sessions",
  searchAll: (words: string) => `Search in all conversations: ${words}`,
  newSession: "New session",
  snapshots: "Snapshots",
  suspend: "Suspend",
  resume: "Resume",
  restoreAll: "Restore…",
  restore: "Restore",
  rename: "Rename",
  end: "End",
  undo: "Undo",
  ending: "ends in a few seconds",
  pin: "Pin",
  mute: "Mute",
  unread: "new",
  settings: "Settings",
  away: (count: number) => `${count} ${count === 1 ? "thing" : "things"} happened while you were away`,
  pinned: "Pinned",
  others: "Others",
  more: "More",
  tiles: "Side by side",
  layoutFails: "The arrangement of the list",
  changedElsewhere: "another page has changed the same meanwhile; this is how it is now",
  group: "Group by directory",
  textFirst: "Open agents as text",
  empty: "No sessions yet.",
  emptyHint: "Sessions that you start here or in tmux appear by themselves.",
  noneFound: "No session matches.",
  loading: "Loading…",
  notLoaded: "This part of the page could not be loaded.",
  again: "Load again",
  goBack: "Back",
  andMore: (count: number) => `and ${count} more`,
  offlineBadge: "Not connected",
  tmuxFails: "The list cannot be made again",
  tmuxAdvice: "What you see is from before. 'tmux list-sessions' on the host says more.",
  viewers: (count: number) => `${count} ${count === 1 ? "viewer" : "viewers"}`,
  windows: (count: number) => `${count} windows`,
  commands: (count: number) => `${count} ${count === 1 ? "command runs" : "commands run"}`,
  counts: (waiting: number, working: number) => `${waiting} waiting, ${working} working`,
  changed: (session: string, state: string) => `${session}: ${state}`,
  logins: "Logins",
  logIn: "Log in",
  linkAdvice: "Run 'lobby link' on the host and open what it prints.",
  openAdvice: "Its link was used already, or it was logged out. Run 'lobby open' again.",
  proxyAdvice: "Log in at the page that leads here, then reload.",
  palette: "Commands and sessions",
  shortcuts: "Keys",
  toList: "Back to the list, into its search",
  nextWaiting: "Next session that waits",
  previousWaiting: "Previous session that waits",
  lookAt: "Look at",
  licences: "Licences",
  youLookAt: (actor: string, user: string) => `${actor}, you look at the sessions of ${user}. Nothing can be changed here, and ${user} sees that you look.`,
  stopLooking: "Back to my own",
  sharing: "Sharing",
  sharedBy: (user: string) => `Shared with you by ${user}. Only what is shared is here.`,
  notShared: { what: "Nothing is shared with you here.", advice: "It was revoked, or its time is over." },
  somebodyLooks: (who: string) => `${who} looks at your sessions.`,
};

export const ages = {
  now: "now",
  minutes: (count: number) => `${count} min`,
  hours: (count: number) => `${count} h`,
  days: (count: number) => `${count} d`,
};

translated("common", { states, lines, text, ages });

export function ago(seconds: number, now: number): string {
  const age = Math.max(0, now - seconds);
  if (seconds === 0) return "";
  if (age < 60) return ages.now;
  if (age < 3600) return ages.minutes(Math.floor(age / 60));
  if (age < 86400) return ages.hours(Math.floor(age / 3600));
  return ages.days(Math.floor(age / 86400));
}

/** A moment, as this browser writes it. */
export const moment = (seconds: number): string => new Date(seconds * 1000).toLocaleString();

export function bytes(count: number): string {
  if (count < 1 << 20) return `${Math.round(count / 1024)} KiB`;
  if (count < 1 << 30) return `${Math.round(count / (1 << 20))} MiB`;
  return `${(count / (1 << 30)).toFixed(1)} GiB`;
}

/** What the page asks of snapshots; types as src/lobby/protocol/restore.rs has them. */

import { type Choice, type Plan, get } from "../api";
import { base } from "../base";

export interface Snapshot {
  id: string;
  time: number;
  sessions: number;
  panes: number;
  agents: number;
  lost: number;
  newest: boolean;
  before_boot: boolean;
}

export interface Snapshots {
  snapshots: Snapshot[];
  notes: string[];
  restoring: boolean;
}

export interface Gone {
  session: string;
  name: string;
  at?: number;
  why: string;
  closed: boolean;
}

export interface MemoryEvent {
  time: number;
  name: string;
  kind: "suspended" | "woken";
  bytes?: number;
}

export interface Past {
  goings: Gone[];
  memory: MemoryEvent[];
  free?: number;
  notes: string[];
}

export interface Period {
  name: string;
  first: number;
  last: number;
  id: string;
  snapshots: number;
  panes: { window: number; pane: number; state: "live" | "suspended" | "lost" | "shell"; agent?: string; directory: string }[];
}

export const ofSnapshots = {
  list: () => get<Snapshots>(`${base}/api/snapshots`),
  one: (id: string) => get<Plan>(`${base}/api/snapshots/${encodeURIComponent(id)}`),
  past: () => get<Past>(`${base}/api/past`),
  history: (session: string) =>
    get<{ periods: Period[]; damaged: string[] }>(`${base}/api/past/session?session=${encodeURIComponent(session)}`),
};

/** What was ticked, as a request has it. */
export function choices(chosen: { from: string | undefined; session: string }[]): Choice[] {
  const by = new Map<string | undefined, string[]>();
  for (const { from, session } of chosen) by.set(from, [...(by.get(from) ?? []), session]);
  return Array.from(by, ([from, sessions]) => ({ ...(from && { from }), sessions }));
}

/** What was asked for, or why there is none. */
export interface Answer<T> {
  value?: T;
  error?: string;
}

export const settled = <T>(asked: Promise<T>): Promise<Answer<T>> =>
  asked.then(
    (value) => ({ value }),
    (failed: Error) => ({ error: failed.message }),
  );

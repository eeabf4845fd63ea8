/** What the page asks of the lobby. */

import { base } from "./base";

async function answerOf<T>(answer: Response): Promise<T> {
  if (!answer.ok) {
    const failed = (await answer.json().catch(() => ({}))) as { error?: string };
    throw new Error(failed.error ?? `${answer.status} ${answer.statusText}`);
  }
  if (answer.status === 204 || answer.status === 202) return undefined as T;
  return (await answer.json()) as T;
}

export async function ask<T>(path: string, body: unknown = {}): Promise<T> {
  const headers = { "content-type": "application/json" };
  return answerOf(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export const get = async <T>(path: string): Promise<T> => answerOf(await fetch(path, { cache: "no-store" }));

/** As src/lobby/protocol/restore.rs has it. */
export interface PlanRow {
  /** What names the session in a request. */
  session: string;
  name: string;
  window: number;
  pane: number;
  action: "new" | "skip" | "in_place" | "renamed";
  target: string;
  agent?: string;
  directory: string;
  reason: string;
  selected: boolean;
  /** When it was closed, in seconds since the epoch. */
  closed?: number;
  mode: string | null;
  result?: string;
  /** The snapshot, if it is not the newest. */
  from?: string;
}

/** A session that is not as it was in a snapshot. */
export interface Changed {
  session: string;
  name: string;
  change: "added" | "renamed" | "changed";
  was?: string;
  fields: { window: number; pane: number; change: "added" | "removed" | "changed"; field?: string; from?: string; to?: string }[];
}

export interface Plan {
  rows: PlanRow[];
  notes: string[];
  agents?: { eager: number; lazy: number };
  /** What one agent is expected to take, and what there is, in bytes. */
  agent_memory: number;
  free?: number;
  changes?: Changed[];
}

export interface Choice {
  from?: string;
  sessions: string[];
}

export interface NewSession {
  directory: string;
  agent?: string;
  name?: string;
  prompt?: string;
  model?: string;
}

/** What new sessions were begun with, the last ones first. */
export interface Recent {
  directories: string[];
  agents: string[];
  models: Record<string, string[]>;
}

export interface Login {
  id: string;
  device: string;
  created: number;
  used: number;
  current: boolean;
}

const of = (id: string): string => `${base}/api/sessions/${encodeURIComponent(id)}`;

export const api = {
  logIn: (link: string) => ask<void>("/api/login", { link }),
  logOut: () => ask<void>("/api/logout"),
  logins: () => get<Login[]>("/api/logins"),
  revoke: (id: string) => ask<void>(`/api/logins/${encodeURIComponent(id)}/revoke`),
  recent: () => get<Recent>(`${base}/api/recent`),
  agents: () => get<string[]>(`${base}/api/agents`),
  rename: (id: string, name: string) => ask<void>(`${of(id)}/rename`, { name }),
  end: (id: string) => ask<void>(`${of(id)}/end`),
  suspend: (id: string) => ask<void>(`${of(id)}/suspend`),
  resume: (id: string) => ask<void>(`${of(id)}/resume`),
  keep: (id: string) => ask<void>(`${of(id)}/keep`),
  /** Gives a prompt to an agent, or has it held until the agent takes it. */
  prompt: (id: string, text: string) => ask<{ taken: boolean; held: boolean }>(`${of(id)}/prompt`, { text, hold: true }),
  takeBack: (id: string) => ask<{ text: string }>(`${of(id)}/take-back`),
  resumePast: (agent: string, id: string) => ask<{ id: string }>(`${base}/api/conversations/resume`, { agent, id }),
  create: (session: NewSession) => ask<{ id: string }>(`${base}/api/sessions`, session),
  plan: (keys: string[]) => ask<Plan>(`${base}/api/restore/plan`, { sessions: keys }),
  planOf: (chosen: Choice[]) => ask<Plan>(`${base}/api/restore/plan`, { chosen }),
  restore: (chosen: Choice[]) => ask<Plan>(`${base}/api/restore`, { chosen }),
};

/** What is asked of the lobby about shares. */

import { base } from "../base";

export interface Share {
  id: string;
  session: string;
  name: string;
  with: string;
  drive: boolean;
  made: number;
  until: number;
  looking: number;
}

export interface Link {
  id: string;
  session: string;
  name: string;
  made: number;
  until: number;
  most: number;
  viewers: number;
  viewed: number;
  looking: number;
}

export interface All {
  shares: Share[];
  links: Link[];
}

async function answer<T>(path: string, body?: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  const asked = body === undefined ? { cache: "no-store" as const } : { method: "POST", headers, body: JSON.stringify(body) };
  const found = await fetch(base + path, asked);
  const said = (await found.json().catch(() => ({}))) as { error?: string };
  if (!found.ok) throw new Error(said.error ?? `${found.status} ${found.statusText}`);
  return said as T;
}

export const asked = {
  all: () => answer<All>("/api/shares"),
  people: () => answer<string[]>("/api/people"),
  share: (session: string, person: string, drive: boolean, hours: number) =>
    answer<void>("/api/shares", { session, with: person, drive, hours }),
  link: (session: string, days: number, viewers: number) => answer<{ secret: string }>("/api/links", { session, days, viewers }),
  revoke: (id: string) => answer<void>(`/api/shares/${encodeURIComponent(id)}/revoke`, {}),
  handOver: (session: string, to: string) => answer<void>(`/api/sessions/${encodeURIComponent(session)}/hand-over`, { to }),
  open: (link: string) => answer<{ ticket: string }>("/api/link", { link }),
};

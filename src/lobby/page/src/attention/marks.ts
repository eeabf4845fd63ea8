/** What the person has seen and muted, as the lobby keeps it for all their browsers. */

import { createSignal } from "solid-js";
import { ask } from "../api";
import type { Session } from "../sessions";

/** As src/lobby/protocol/attention.rs has it; times in seconds since the epoch. */
export interface Marks {
  since: number;
  all_muted: boolean;
  muted: string[];
  opened: Record<string, number>;
  seen: number;
}

const [marks, setMarks] = createSignal<Marks>();
/** How many things happened while the person was away. */
const [awayCount, setAwayCount] = createSignal(0);

export { awayCount, marks, setAwayCount, setMarks };

export const isMuted = (id: string): boolean => marks()?.muted.includes(id) ?? false;

/** Whether a session began to wait or got idle since it was last looked at. */
export function isUnread(session: Session): boolean {
  const known = marks();
  if (!known?.since || !session.since || (session.state !== "waiting" && session.state !== "idle")) return false;
  return session.since >= (known.opened[session.id] ?? known.since);
}

export const mute = (session: string | null, muted: boolean): Promise<void> => ask("/api/mute", { session, muted });

/** What of the list happened since a time. */

import type { Session } from "../sessions";

export const waitsSince = (sessions: Session[], time: number): Session[] =>
  sessions.filter((session) => session.state === "waiting" && (session.since ?? 0) > time);

export const goneSince = (sessions: Session[], time: number): Session[] =>
  sessions.filter((session) => (session.state === "lost" || session.state === "ended") && session.changed > time);

/** Whether the lobby is there, and if not, what is wrong. */

import { createSignal } from "solid-js";
import { base, sharedBy } from "./base";

/** Who looks at whose sessions. */
export interface Me {
  user: string;
  host: string;
  actor: string;
  access: "drive" | "watch" | "share";
  admin: boolean;
  users: string[];
  mode: "open" | "proxy" | "oidc" | "link";
  logins: boolean;
}

/** `offline`: the browser. `gateway`: nothing answers. `agent`: the user's own part does not. `cut`: refused. */
export type Line = "connecting" | "online" | "offline" | "gateway" | "agent" | "logged out" | "cut";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 5000;

const [line, setLine] = createSignal<Line>("connecting");
const [me, setMe] = createSignal<Me>();
/** Of one who is not logged in: how that is done here. */
const [door, setDoor] = createSignal<{ mode?: string; log_in?: string }>({});

export { door, line, me, setLine };

/** Whether nothing may be changed here. */
export const onlyWatches = (): boolean => sharedBy !== "" || me()?.access === "watch";

/** Whether these are the sessions of the one who looks: only to that one are files given. */
export const isOwn = (): boolean => base === "" && !onlyWatches();

const ask = (path: string): Promise<Response> =>
  fetch(base + path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });

/** Asks who is logged in, and finds out what is wrong. `connecting` if nothing is. */
export async function diagnose(): Promise<Line> {
  try {
    const answer = await ask("/api/me");
    const found = await verdict(answer);
    if (found !== "connecting") return found;
    if (answer.status === 200) setMe((await answer.json()) as Me);
    return await verdict(await ask(sharedBy ? "/api/share" : "/api/agents"));
  } catch {
    return navigator.onLine ? "gateway" : "offline";
  }
}

/** Asks who is logged in. */
export async function learn(): Promise<void> {
  const answer = await ask("/api/me").catch(() => undefined);
  if (answer?.status === 200) setMe((await answer.json()) as Me);
}

async function verdict(answer: Response): Promise<Line> {
  if (answer.status === 401) {
    setDoor((await answer.json().catch(() => ({}))) as { mode?: string; log_in?: string });
    return "logged out";
  }
  if (answer.status === 403) return "cut";
  return answer.status >= 500 ? "agent" : "connecting";
}

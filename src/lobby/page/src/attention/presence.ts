/**
 * Whether the person is there, and what they look at: the lobby gets to know it, so that it notifies them of nothing
 * that they see. Loaded after the list.
 */

import { createEffect, createMemo, createRoot, createSignal, on, untrack } from "solid-js";
import { onlyWatches, line } from "../line";
import { go, opened, read } from "../route";
import { isLoaded, say, sessions } from "../sessions";
import { attention } from "./api";
import { awayCount, marks, setAwayCount } from "./marks";
import { goneSince, waitsSince } from "./things";

const [isVisible, setVisible] = createSignal(!document.hidden);
/** Until when it is known what happened; 0 if that has to be asked. */
const [known, setKnown] = createSignal(0);

/** Asks what happened while no page could be seen. */
async function learn(): Promise<void> {
  const away = await attention.away().catch(() => undefined);
  if (!away) return;
  const all = untrack(sessions);
  const rows = away.seen < away.now ? [...waitsSince(all, away.seen), ...goneSince(all, away.seen)] : [];
  setAwayCount(away.events.length + away.more + rows.length);
  setKnown(away.now);
}

/** Closes notifications of what is seen or no longer so. */
async function tidy(seen: string | undefined): Promise<void> {
  if (!("serviceWorker" in navigator) || !("Notification" in window) || Notification.permission !== "granted") return;
  const registration = await navigator.serviceWorker.getRegistration("/");
  const shown = (await registration?.getNotifications()) ?? [];
  const states = new Map(sessions().map((session) => [session.id, session.state as string]));
  for (const notification of shown) {
    const said = notification.data as { session?: string; state?: string } | null;
    if (!said?.session) continue;
    if (said.session === seen || states.get(said.session) !== said.state) notification.close();
  }
}

export function attend(): void {
  const seen = (): string | undefined => (isVisible() ? (opened() ?? read()) : undefined);
  createRoot(() => {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) setKnown(0);
      setVisible(!document.hidden);
    });
    createEffect(() => {
      if (isVisible() && line() === "online" && isLoaded() && !onlyWatches() && known() === 0) void learn();
    });
    // In another browser, or on its own page, it was marked as seen.
    createEffect(() => {
      if (known() > 0 && (marks()?.seen ?? 0) >= known()) setAwayCount(0);
    });
    createEffect(() => {
      if (line() !== "online" || onlyWatches()) return;
      const caughtUp = known() > 0 && awayCount() === 0;
      say({ type: "looking", session: opened() ?? read() ?? null, visible: isVisible(), caught_up: caughtUp });
    });
    const states = createMemo(() => sessions().map((session) => `${session.id} ${session.state}`).join("\n"));
    createEffect(on([states, seen], ([, now]) => isVisible() && isLoaded() && void tidy(now)));
  });
  // A notification was clicked: see sw.js.
  navigator.serviceWorker?.addEventListener("message", (event: MessageEvent<{ type?: string; path?: string }>) => {
    if (event.data?.type === "open" && /^\/(session\/[0-9a-f]{16}(\/text)?)?$/.test(event.data.path ?? "")) go(event.data.path ?? "/");
  });
}

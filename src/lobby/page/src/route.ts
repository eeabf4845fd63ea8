/** What the address says is shown: a session, another part of the page, or the list. */

import { createMemo, createRoot, createSignal } from "solid-js";
import { base } from "./base";

const [path, setPath] = createSignal(location.pathname);
export { path };
addEventListener("popstate", () => setPath(location.pathname));

/** Shows another part of this page. */
export function go(to: string): void {
  const full = base + to;
  if (full !== location.pathname) history.pushState(null, "", full);
  setPath(full);
}

const own = (): string => path().slice(base.length);

/** The id of the session that is opened. */
export const opened = createRoot(() => createMemo(() => /^\/session\/([0-9a-f]{16})$/.exec(own())?.[1]));

/** The id of the session whose conversation is read. */
export const read = createRoot(() => createMemo(() => /^\/session\/([0-9a-f]{16})\/text(?:\/\d+)?$/.exec(own())?.[1]));

/** The agent and the id of the conversation that is read without its session. */
export const past = createRoot(() => createMemo(() => /^\/conversation\/([^/]+)\/([^/]+)(?:\/\d+)?$/.exec(own())));

/** The place in a conversation, in bytes of its transcript, if the address names one. */
export const placeIn = (): number | undefined => Number(/\/(?:text|conversation\/[^/]+\/[^/]+)\/(\d+)$/.exec(own())?.[1]) || undefined;

export const isAtSearch = (): boolean => own() === "/search";

/** Searches words in all conversations; empty for none yet. */
export function search(words: string): void {
  go("/search");
  history.replaceState({ words }, "");
}

/** The id of the snapshot that is looked at; empty for the newest, `undefined` on other pages. */
export const restored = (): string | undefined => /^\/restore(?:\/([\w-]+))?$/.exec(own())?.slice(1).map((id) => id ?? "")[0];

export const isAtTiles = (): boolean => own() === "/tiles";
export const isAtLogins = (): boolean => own() === "/logins";

export const isAtSettings = (): boolean => own() === "/settings";

export const isAtAway = (): boolean => own() === "/away";

export const isAtSharing = (): boolean => own() === "/sharing";

/** Whether this page shows the conversation of a link, and nothing else. */
export const isLink = location.pathname === "/link";

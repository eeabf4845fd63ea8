/**
 * Makes a session's terminal ready before it is opened: while the pointer or the focus is on its row. It neither
 * sizes nor types, counts as no viewer, and is dropped soon after the row is left.
 */

import { later, loaded } from "./later";
import { onlyWatches } from "./line";
import type { Session } from "./sessions";
import type { Opened } from "./terminal";

/** A row that is only passed is none to prepare for, in milliseconds. */
const RESTS = 40;
/** For how long a terminal stays ready after its row is left, in milliseconds. */
const KEPT = 5000;

let drawing: Promise<typeof import("./terminal")> | undefined;
let ready: { id: string; opened: Opened } | undefined;
let wanted = "";
let begin: number | undefined;
let end: number | undefined;

/** The page of a session, which is loaded with what draws terminals. */
export const SessionPage = later(() => import("./session-page").then((page) => page.SessionPage));

/** Loads what draws terminals. */
export function load(): Promise<typeof import("./terminal")> {
  void SessionPage.preload();
  return (drawing ??= loaded(() => import("./terminal")));
}

/** Loads it when there is nothing else to do, unless the line is slow. */
export function loadWhenIdle(): void {
  const line = (navigator as { connection?: { saveData?: boolean; downlink?: number } }).connection;
  if (line?.saveData || (line?.downlink ?? 10) < 1) return;
  const idle = window.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 500));
  idle(() => {
    void load();
    void loaded(() => import("./palette/palette"));
  });
}

/** The pointer or the focus is on a row; `isSure` if a button or a finger is down on it. */
export function preload(session: Session, isSure = false): void {
  clearTimeout(begin);
  if (!session.preload || !session.live || onlyWatches()) return;
  wanted = session.id;
  clearTimeout(end);
  if (ready?.id === session.id) return;
  begin = window.setTimeout(async () => {
    const { open } = await load();
    const stage = document.querySelector(".stage");
    if (wanted !== session.id || ready?.id === session.id || !stage) return;
    drop();
    ready = { id: session.id, opened: open(stage, session.id, { watch: false, preload: true }) };
  }, isSure ? 0 : RESTS);
}

/** The row was left. */
export function leave(): void {
  clearTimeout(begin);
  clearTimeout(end);
  end = window.setTimeout(drop, KEPT);
}

/** The terminal that is ready for a session, which is no longer kept here. */
export function take(id: string): Opened | undefined {
  clearTimeout(begin);
  wanted = "";
  const own = ready?.id === id ? ready.opened : undefined;
  if (own) ready = undefined;
  drop();
  return own;
}

function drop(): void {
  clearTimeout(end);
  ready?.opened.close();
  ready = undefined;
}

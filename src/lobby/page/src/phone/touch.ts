/**
 * What fingers do: a swipe to the left or right in the text view leads to the next or previous session, from the first
 * one, and from above a session, to the list. Loaded where a screen is touched.
 */

import { announce, sessions } from "../sessions";
import { go, opened, read } from "../route";
import { keepInSight } from "./keyboard";

/** How far a finger goes at least, in pixels, and how long that takes at most, in milliseconds. */
const FAR = 70;
const LONG = 700;
/** Swipes that begin nearer to the side of the screen than this are the browser's own, in pixels. */
const SIDE = 24;
/** How much wider than high a swipe is. */
const FLAT = 2;

interface Begin {
  x: number;
  y: number;
  at: number;
}

let begin: Begin | undefined;

/** Whether something between the finger and the page has a use for it. */
function isTaken(from: EventTarget | null): boolean {
  if (!(from instanceof Element)) return true;
  if (from.closest("dialog, input, textarea, select, .terminal, .keys, .menu")) return true;
  for (let one: Element | null = from; one && one !== document.body; one = one.parentElement) {
    if (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX)) return true;
  }
  return false;
}

/** Where a swipe leads; nowhere if that is none. */
function target(step: 1 | -1, isAbove: boolean): string | undefined {
  const here = read() ?? opened();
  if (!here) return undefined;
  if (isAbove || !read()) return isAbove && step < 0 ? "/" : undefined;
  const all = sessions().filter((session) => session.live && session.agent);
  const at = all.findIndex((session) => session.id === here);
  const next = all[at + step];
  if (at >= 0 && next) {
    announce(next.title ?? next.name);
    return `/session/${next.id}/text`;
  }
  return step < 0 ? "/" : undefined;
}

addEventListener(
  "touchstart",
  (event) => {
    const touch = event.touches[0];
    const isOne = event.touches.length === 1 && touch !== undefined;
    const isInside = isOne && touch.clientX > SIDE && touch.clientX < innerWidth - SIDE;
    begin = isInside && !isTaken(event.target) ? { x: touch.clientX, y: touch.clientY, at: event.timeStamp } : undefined;
  },
  { passive: true },
);
addEventListener("touchcancel", () => (begin = undefined), { passive: true });
addEventListener(
  "touchend",
  (event) => {
    const [from, touch] = [begin, event.changedTouches[0]];
    begin = undefined;
    if (!from || !touch || event.touches.length > 0) return;
    const [x, y] = [touch.clientX - from.x, touch.clientY - from.y];
    const isSwipe = Math.abs(x) > FAR && Math.abs(x) > FLAT * Math.abs(y) && event.timeStamp - from.at < LONG;
    if (!isSwipe || (visualViewport?.scale ?? 1) > 1.01 || !(getSelection()?.isCollapsed ?? true)) return;
    const isAbove = event.target instanceof Element && event.target.closest("main.session > header") !== null;
    const to = target(x < 0 ? 1 : -1, isAbove);
    if (to) go(to);
  },
  { passive: true },
);

keepInSight();

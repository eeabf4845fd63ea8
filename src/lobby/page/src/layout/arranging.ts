/**
 * Rows are moved by the pointer and by the keyboard (Alt and an arrow): to another place, or into another group. Loaded
 * after the list, on which it listens.
 */

import { onlyWatches } from "../line";
import { announce, sessions } from "../sessions";
import "./arranging.css";
import { groups } from "./groups";
import { arrange, layout } from "./state";
import { text } from "./text";

const ID = /^[0-9a-f]{16}$/;

const rowOf = (target: EventTarget | null): HTMLElement | undefined =>
  (target instanceof Element && target.closest<HTMLElement>("li[data-session]")) || undefined;
const groupOf = (target: EventTarget | null): HTMLElement | undefined =>
  (target instanceof Element && target.closest<HTMLElement>("[data-group]")) || undefined;
const idOf = (row: Element | null | undefined): string => (row instanceof HTMLElement ? (row.dataset.session ?? "") : "");

/** Puts a session into the group of a name, as far as it can be put there. */
async function into(session: string, name: string): Promise<void> {
  const isPinned = layout().pins.includes(session);
  if ((name === "pinned") !== isPinned) await arrange({ type: "pin", session, is: name === "pinned" });
  if (name === "pinned") return;
  const now = layout().members[session];
  const wanted = name.startsWith("own:") ? name.slice(4) : undefined;
  if (now !== wanted) await arrange(wanted ? { type: "assign", session, group: wanted } : { type: "assign", session });
}

/**
 * Puts a session below others of its group. Named are those that have no place yet, all that are shown above it and in
 * groups above, and the last one.
 */
function below(session: string, last: string | undefined): Promise<void> {
  if (!last) return arrange({ type: "move", session, below: [] });
  const all = groups(sessions(), layout(), false).flatMap((group) => group.sessions.map(({ id }) => id)).filter((id) => ID.test(id) && id !== session);
  const above = all.slice(0, all.indexOf(last) + 1);
  const known = new Set(layout().order);
  return arrange({ type: "move", session, below: [...above.filter((id) => !known.has(id) && id !== last), last] });
}

/** One step after another: each is from where the one before led. */
let steps: Promise<void> = Promise.resolve();

/** Moves a row up or down in its group; from its edge into the group beside it. */
export function step(session: string, by: 1 | -1): Promise<void> {
  steps = steps.then(() => stepNow(session, by)).catch(() => undefined);
  return steps;
}

async function stepNow(session: string, by: 1 | -1): Promise<void> {
  if (onlyWatches() || !ID.test(session)) return;
  const all = groups(sessions(), layout(), true);
  const group = all.find((one) => one.sessions.some(({ id }) => id === session));
  if (!group) return;
  const at = group.sessions.findIndex(({ id }) => id === session);
  const ids = group.sessions.map(({ id }) => id);
  const isAtEdge = by > 0 ? at === ids.length - 1 : at === 0;
  if (isAtEdge) {
    const beside = all[all.indexOf(group) + by];
    // A directory is where the session is: no person's choice.
    if (!beside || beside.name.startsWith("dir:") || (group.name.startsWith("dir:") && !/^(own|pinned)/.test(beside.name))) return;
    await into(session, beside.name);
    announce(text.movedInto(beside.title || text.rest));
  } else {
    await below(session, by > 0 ? ids[at + 1] : ids[at - 2]);
    announce(text.moved(at + 1 + by, ids.length));
  }
  document.querySelector<HTMLElement>(`li[data-session="${session}"] a`)?.focus();
}

/** Listens on the list; what it returns ends that. */
export function listen(list: HTMLElement): () => void {
  let dragged = "";
  const clear = (): void => list.querySelectorAll("[data-drop]").forEach((element) => element.removeAttribute("data-drop"));
  const press = (event: KeyboardEvent): void => {
    const by = { ArrowUp: -1 as const, ArrowDown: 1 as const }[event.key];
    const row = rowOf(event.target);
    if (!by || !row || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    void step(idOf(row), by);
  };
  const start = (event: DragEvent): void => {
    const row = rowOf(event.target);
    if (!row || onlyWatches() || !ID.test(idOf(row))) return;
    dragged = idOf(row);
    event.dataTransfer?.setData("application/x-lobby-session", dragged);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  };
  /** Where it would come: above or below a row, or into a group. */
  const place = (event: DragEvent): { element: HTMLElement; where: "above" | "below" | "into" } | undefined => {
    const row = rowOf(event.target);
    if (row && idOf(row) !== dragged) {
      const { top, height } = row.getBoundingClientRect();
      return { element: row, where: event.clientY < top + height / 2 ? "above" : "below" };
    }
    const tiles = event.target instanceof Element && event.target.closest<HTMLElement>("[data-tiles]");
    if (tiles) return { element: tiles, where: "into" };
    const group = groupOf(event.target);
    return group && !row ? { element: group, where: "into" } : undefined;
  };
  const over = (event: DragEvent): void => {
    const found = dragged ? place(event) : undefined;
    clear();
    if (!found) return;
    event.preventDefault();
    found.element.dataset.drop = found.where;
  };
  const drop = async (event: DragEvent): Promise<void> => {
    const found = dragged ? place(event) : undefined;
    const session = dragged;
    clear();
    dragged = "";
    if (!found) return;
    event.preventDefault();
    if (found.element.dataset.tiles !== undefined) return arrange({ type: "add_tile", session });
    const name = groupOf(found.element)?.dataset.group ?? "rest";
    await into(session, name);
    if (found.where === "into") return;
    const before = found.where === "below" ? found.element : found.element.previousElementSibling;
    const last = idOf(before) === session ? idOf(before?.previousElementSibling) : idOf(before);
    await below(session, ID.test(last) ? last : undefined);
  };
  const end = (): void => {
    dragged = "";
    clear();
  };
  const drops = (event: DragEvent): void => void drop(event);
  list.addEventListener("keydown", press, true);
  list.addEventListener("dragstart", start);
  list.addEventListener("dragover", over);
  list.addEventListener("drop", drops);
  list.addEventListener("dragend", end);
  return () => {
    list.removeEventListener("keydown", press, true);
    list.removeEventListener("dragstart", start);
    list.removeEventListener("dragover", over);
    list.removeEventListener("drop", drops);
    list.removeEventListener("dragend", end);
  };
}

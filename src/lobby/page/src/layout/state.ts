/** How the sessions are arranged, as the lobby keeps it. Only what the list needs at once. */

import { createSignal } from "solid-js";
import { base } from "../base";
import { onlyWatches } from "../line";
import { change as changeSettings, settings } from "../settings";
import { text } from "../text";

export interface Layout {
  version: number;
  pins: string[];
  order: string[];
  own_order: boolean;
  by_directory: boolean;
  groups: { id: string; name: string }[];
  members: Record<string, string>;
  collapsed: string[];
  tiles: { sessions: string[]; arrangement: "columns" | "rows" | "grid"; columns: number[]; rows: number[] };
}

/** As src/lobby/protocol/layout.rs has it. */
export type Change =
  | { type: "pin"; session: string; is: boolean }
  | { type: "move"; session: string; below: string[] }
  | { type: "own_order" | "by_directory"; is: boolean }
  | { type: "add_group"; group: string; name: string; session?: string }
  | { type: "rename_group"; group: string; name: string }
  | { type: "remove_group"; group: string }
  | { type: "move_group"; group: string; below?: string }
  | { type: "assign"; session: string; group?: string }
  | { type: "collapse"; name: string; is: boolean }
  | { type: "add_tile" | "remove_tile"; session: string }
  | { type: "move_tile"; session: string; to: number }
  | { type: "arrange"; to: Layout["tiles"]["arrangement"] }
  | { type: "size_tiles"; columns: number[]; rows: number[] };

const EMPTY: Layout = {
  version: 0,
  pins: [],
  order: [],
  own_order: false,
  by_directory: false,
  groups: [],
  members: {},
  collapsed: [],
  tiles: { sessions: [], arrangement: "columns", columns: [], rows: [] },
};

const [layout, setLayout] = createSignal(EMPTY);
/** Why the layout is not known, or a change of it was not made; empty if all is well. */
const [layoutProblem, setLayoutProblem] = createSignal("");

export { layout, layoutProblem, setLayoutProblem };

/** One change after another: each is of what the one before made. */
let last: Promise<void> = Promise.resolve();

async function ask(change: Change): Promise<void> {
  const body = JSON.stringify({ version: layout().version, change });
  const answer = await fetch(`${base}/api/layout`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const said = (await answer.json().catch(() => ({}))) as Layout & { error?: string };
  if (answer.ok || answer.status === 409) takeLayout(said);
  setLayoutProblem(answer.ok ? "" : answer.status === 409 ? text.changedElsewhere : (said.error ?? answer.statusText));
}

/** Has the lobby make a change. */
export function arrange(change: Change): Promise<void> {
  last = last.then(() => ask(change)).catch((failed: Error) => void setLayoutProblem(failed.message));
  return last;
}

/** Changes what is shown: a row that is moved loses the focus, and gets it back. */
export function keepingFocus(show: () => void): void {
  const had = document.activeElement;
  show();
  if (had instanceof HTMLElement && had !== document.activeElement && had.isConnected) had.focus();
}

/** Shows a layout, unless a newer one is shown. */
export function takeLayout(next: Layout, isFirst = false): void {
  if (isFirst || next.version >= layout().version) keepingFocus(() => setLayout(next));
}

/** What this browser kept before the lobby did is the lobby's from now on; in one's own lobby only, and once it has it. */
export async function moveOver(): Promise<void> {
  const { pins, grouped } = settings();
  if (base || onlyWatches() || (pins.length === 0 && !grouped)) return;
  for (const session of pins.filter((key) => /^[0-9a-f]{16}$/.test(key))) await arrange({ type: "pin", session, is: true });
  if (grouped) await arrange({ type: "by_directory", is: true });
  if (!layoutProblem()) changeSettings({ pins: [], grouped: false });
}

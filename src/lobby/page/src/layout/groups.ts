/** Which groups the list has, and what is in each in which order. */

import type { Session } from "../sessions";
import { text } from "../text";
import type { Layout } from "./state";

export interface Group {
  /** What it is known by: `pinned`, `own:ID`, `dir:DIRECTORY` or `rest`. */
  name: string;
  title: string;
  sessions: Session[];
}

/** Pinned ones first, then own groups, then directories or all the others. Own groups are shown if they are empty, too. */
export function groups(found: Session[], layout: Layout, isAll: boolean): Group[] {
  const pins = new Set(layout.pins);
  const sorted = layout.own_order ? inOwnOrder(found, layout.order) : found;
  const own = new Map(layout.groups.map(({ id, name }): [string, Group] => [id, { name: `own:${id}`, title: name, sessions: [] }]));
  const pinned: Group = { name: "pinned", title: text.pinned, sessions: [] };
  const rest = new Map<string, Group>();
  for (const session of sorted) {
    let group = pins.has(session.id) ? pinned : own.get(layout.members[session.id] ?? "");
    if (!group) {
      const [name, title] = layout.by_directory ? [`dir:${session.directory}`, session.directory] : ["rest", own.size > 0 ? text.others : ""];
      group = rest.get(name) ?? { name, title, sessions: [] };
      rest.set(name, group);
    }
    group.sessions.push(session);
  }
  return [pinned, ...own.values(), ...rest.values()].filter((group) => group.sessions.length > 0 || (isAll && group.name.startsWith("own:")));
}

/** Those without a place come after those with one, as they were. */
function inOwnOrder(sessions: Session[], order: string[]): Session[] {
  const at = new Map(order.map((id, index) => [id, index]));
  const place = (session: Session): number => at.get(session.id) ?? order.length;
  return [...sessions].sort((a, b) => place(a) - place(b));
}

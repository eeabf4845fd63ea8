/** The commands that have a key, and so are there before the palette is loaded. */

import { sessions, type Session } from "../sessions";
import { go, opened, read } from "../route";
import { text } from "../text";
import { show } from "../shown";
import { register } from "./commands";

/** Leads to the next session that waits, in the order of the list, or to the one before. */
function toWaiting(step: 1 | -1): void {
  const here = opened() ?? read();
  const all = sessions().filter((session: Session) => session.live && (session.state === "waiting" || session.id === here));
  const at = all.findIndex((session) => session.id === here);
  const from = at < 0 && step < 0 ? 0 : at;
  const next = all[(from + step + all.length) % all.length];
  if (next && next.id !== here) go(`/session/${next.id}`);
}

const anyWaits = (): boolean => sessions().some((session) => session.live && session.state === "waiting" && session.id !== opened());

export function registerAlways(): void {
  const hasNoTerminal = (): boolean => !document.querySelector(".content .xterm");
  const palette = (): void => void show({ kind: "palette" });
  register({ id: "palette", title: text.palette, shortcut: "Ctrl-Shift-P Ctrl-Shift-Space", keyOnly: true, run: palette });
  register({ id: "palette-without-terminal", title: text.palette, shortcut: "Ctrl-K", keyOnly: true, when: hasNoTerminal, run: palette });
  register({ id: "help", title: text.shortcuts, shortcut: "Ctrl-Shift-/ ?", run: () => void show({ kind: "help" }) });
  register({
    id: "list",
    title: text.toList,
    shortcut: "Ctrl-Shift-K",
    run: () => {
      go("/");
      requestAnimationFrame(() => document.querySelector<HTMLElement>('input[type="search"]')?.focus());
    },
  });
  register({ id: "next-waiting", title: text.nextWaiting, shortcut: "Ctrl-Shift-L", when: anyWaits, run: () => toWaiting(1) });
  register({ id: "previous-waiting", title: text.previousWaiting, shortcut: "Ctrl-Shift-H", when: anyWaits, run: () => toWaiting(-1) });
}

/** The commands of the list and of the session that is open: loaded with the palette. */

import { api } from "../api";
import { base, sharedBy } from "../base";
import { me, onlyWatches } from "../line";
import { go, opened, read, search } from "../route";
import { announce } from "../sessions";
import { type Theme, change, settings } from "../settings";
import { show } from "../shown";
import { register } from "./commands";
import { target } from "./target";
import { text } from "./text";

const here = target;
const nameHere = (): string => here()?.name ?? "";
const mayChange = (): boolean => !onlyWatches();
const isHere = (): boolean => mayChange() && here()?.live === true;

/** Does something that may fail; that it did is announced. */
const attempt = (done: Promise<unknown>): void => void done.catch((failed: Error) => announce(failed.message));

register({ id: "as-text", title: text.asText, when: () => opened() !== undefined && here()?.agent !== undefined, run: () => go(`/session/${opened()}/text`) });
register({ id: "as-terminal", title: text.asTerminal, when: () => read() !== undefined, run: () => go(`/session/${read()}`) });
register({
  id: "rename",
  ofSession: true,
  title: () => text.rename(nameHere()),
  when: isHere,
  run: () => {
    const session = here();
    if (session) show({ kind: "rename", session: { ...session } });
  },
});
register({ id: "end", ofSession: true, title: () => text.end(nameHere()), when: () => isHere() && !here()?.ending, run: () => attempt(api.end(here()?.id ?? "")) });
register({ id: "undo", ofSession: true, title: () => text.undo(nameHere()), when: () => isHere() && here()?.ending === true, run: () => attempt(api.keep(here()?.id ?? "")) });
register({
  id: "share",
  ofSession: true,
  title: () => text.share(nameHere()),
  when: () => !base && here()?.live === true,
  run: () => {
    const session = here();
    if (session) show({ kind: "share", session: { ...session } });
  },
});
register({ id: "sharing", title: text.sharing, when: () => !base, run: () => go("/sharing") });
register({ id: "search", title: text.searchAll, when: mayChange, run: () => search("") });
register({ id: "new", title: text.newSession, when: mayChange, run: () => void show({ kind: "new" }) });
register({ id: "restore", title: text.restore, when: () => !sharedBy, run: () => go("/restore") });
register({ id: "logins", title: text.logins, when: () => !base && me()?.logins === true, run: () => go("/logins") });
register({
  id: "look",
  title: text.lookAt,
  when: () => !base && me()?.admin === true && (me()?.users.length ?? 0) > 0,
  run: () => void show({ kind: "look" }),
});
for (const theme of ["system", "light", "dark"] satisfies Theme[]) {
  register({ id: `theme-${theme}`, title: text.theme(text.themes[theme]), when: () => settings().theme !== theme, run: () => change({ theme }) });
}

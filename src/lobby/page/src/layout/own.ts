/** The commands of the palette that arrange sessions. */

import { onlyWatches } from "../line";
import { target } from "../palette/target";
import { register } from "../palette/commands";
import { show } from "../shown";
import { step } from "./arranging";
import { arrange, layout } from "./state";
import { go } from "../route";
import { text as ofTiles } from "../tiles/text";
import { text } from "./text";

const id = (): string => target()?.id ?? "";
const name = (): string => target()?.name ?? "";
const isOne = (): boolean => !onlyWatches() && id() !== "";
const isPinned = (): boolean => layout().pins.includes(id());
const mayChange = (): boolean => !onlyWatches();

/** Registers them; groups that were made since are among them then. */
export function registerLayout(): void {
  register({ id: "pin", ofSession: true, title: () => text.pin(name()), when: () => isOne() && !isPinned(), run: () => void arrange({ type: "pin", session: id(), is: true }) });
  register({ id: "unpin", ofSession: true, title: () => text.unpin(name()), when: () => isOne() && isPinned(), run: () => void arrange({ type: "pin", session: id(), is: false }) });
  register({ id: "up", ofSession: true, title: () => text.up(name()), hint: "Alt-↑", when: isOne, run: () => void step(id(), -1) });
  register({ id: "down", ofSession: true, title: () => text.down(name()), hint: "Alt-↓", when: isOne, run: () => void step(id(), 1) });
  register({
    id: "out-of-group",
    ofSession: true,
    title: () => text.outOfGroup(name()),
    when: () => isOne() && layout().members[id()] !== undefined,
    run: () => void arrange({ type: "assign", session: id() }),
  });
  register({ id: "into-new-group", ofSession: true, title: () => text.intoNew(name()), when: isOne, run: () => void show({ kind: "group", session: id() }) });
  register({ id: "new-group", title: text.newGroupCommand, when: () => mayChange() && !target(), run: () => void show({ kind: "group" }) });
  const isTile = (): boolean => layout().tiles.sessions.includes(id());
  register({ id: "tiles", title: ofTiles.open, run: () => go("/tiles") });
  register({
    id: "add-tile",
    ofSession: true,
    title: () => ofTiles.add(name()),
    when: () => isOne() && target()?.live === true && !isTile(),
    run: () => void arrange({ type: "add_tile", session: id() }).then(() => go("/tiles")),
  });
  register({ id: "remove-tile", ofSession: true, title: () => ofTiles.out(name()), when: () => isOne() && isTile(), run: () => void arrange({ type: "remove_tile", session: id() }) });
  register({ id: "move-tile", ofSession: true, title: () => ofTiles.earlier(name()), when: () => isOne() && isTile(), run: () => void arrange({ type: "move_tile", session: id(), to: 0 }) });
  register({ id: "by-need", title: text.byNeed, when: () => mayChange() && layout().own_order, run: () => void arrange({ type: "own_order", is: false }) });
  register({ id: "own-order", title: text.ownOrder, when: () => mayChange() && !layout().own_order, run: () => void arrange({ type: "own_order", is: true }) });
  const by = (is: boolean) => () => void arrange({ type: "by_directory", is });
  register({ id: "by-directory", title: text.byDirectory, when: () => mayChange() && !layout().by_directory, run: by(true) });
  register({ id: "not-by-directory", title: text.notByDirectory, when: () => mayChange() && layout().by_directory, run: by(false) });
  for (const group of layout().groups) {
    const isThere = (): boolean => mayChange() && layout().groups.some((one) => one.id === group.id);
    const title = (): string => layout().groups.find((one) => one.id === group.id)?.name ?? "";
    const at = (): number => layout().groups.findIndex((one) => one.id === group.id);
    register({
      id: `into-${group.id}`,
      ofSession: true,
      title: () => text.intoGroup(name(), title()),
      when: () => isOne() && isThere() && layout().members[id()] !== group.id,
      run: () => void arrange({ type: "assign", session: id(), group: group.id }),
    });
    const alone = (): boolean => isThere() && !target();
    register({ id: `rename-${group.id}`, title: () => text.renameGroup(title()), when: alone, run: () => void show({ kind: "group", group: group.id }) });
    register({ id: `remove-${group.id}`, title: () => text.removeGroup(title()), when: alone, run: () => void arrange({ type: "remove_group", group: group.id }) });
    register({
      id: `up-${group.id}`,
      title: () => text.groupUp(title()),
      when: () => alone() && at() > 0,
      run: () => {
        const below = layout().groups[at() - 2]?.id;
        void arrange(below ? { type: "move_group", group: group.id, below } : { type: "move_group", group: group.id });
      },
    });
  }
}

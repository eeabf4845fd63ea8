/** The dialogs; each is loaded when it is first shown. */

import { Show, lazy } from "solid-js";
import { show, shown } from "./shown";

const LookAtDialog = lazy(() => import("./dialogs").then((loaded) => ({ default: loaded.LookAtDialog })));
const NewSessionDialog = lazy(() => import("./dialogs").then((loaded) => ({ default: loaded.NewSessionDialog })));
const RenameDialog = lazy(() => import("./dialogs").then((loaded) => ({ default: loaded.RenameDialog })));
const RestoreDialog = lazy(() => import("./restore/dialog").then((loaded) => ({ default: loaded.RestoreDialog })));
const ShareDialog = lazy(() => import("./share/share-dialog").then((loaded) => ({ default: loaded.ShareDialog })));
const Palette = lazy(() => import("./palette/palette").then((loaded) => ({ default: loaded.Palette })));
const GroupDialog = lazy(() => import("./layout/group-dialog").then((loaded) => ({ default: loaded.GroupDialog })));
const Help = lazy(() => import("./palette/help").then((loaded) => ({ default: loaded.Help })));

export function Overlay() {
  return (
    <Show when={shown()} keyed>
      {(now) => {
        // What it leads to may be a dialog of its own, which stays.
        const close = (): void => void show((next) => (next === now ? undefined : next));
        switch (now.kind) {
          case "new":
            return <NewSessionDialog close={close} />;
          case "look":
            return <LookAtDialog close={close} />;
          case "rename":
            return <RenameDialog session={now.session} close={close} />;
          case "share":
            return <ShareDialog session={now.session} close={close} />;
          case "restore":
            return <RestoreDialog keys={now.keys} close={close} />;
          case "palette":
            return <Palette session={now.session} tiles={now.tiles} close={close} />;
          case "group":
            return <GroupDialog group={now.group} session={now.session} close={close} />;
          case "help":
            return <Help close={close} />;
        }
      }}
    </Show>
  );
}

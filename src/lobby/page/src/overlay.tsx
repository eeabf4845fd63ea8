/** The dialogs; each is loaded when it is first shown. */

import { Show } from "solid-js";
import { piece } from "./later";
import { show, shown } from "./shown";

const LookAtDialog = piece(() => import("./dialogs").then((loaded) => loaded.LookAtDialog));
const NewSessionDialog = piece(() => import("./dialogs").then((loaded) => loaded.NewSessionDialog));
const RenameDialog = piece(() => import("./dialogs").then((loaded) => loaded.RenameDialog));
const RestoreDialog = piece(() => import("./restore/dialog").then((loaded) => loaded.RestoreDialog));
const ShareDialog = piece(() => import("./share/share-dialog").then((loaded) => loaded.ShareDialog));
const Palette = piece(() => import("./palette/palette").then((loaded) => loaded.Palette));
const GroupDialog = piece(() => import("./layout/group-dialog").then((loaded) => loaded.GroupDialog));
const Help = piece(() => import("./palette/help").then((loaded) => loaded.Help));

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

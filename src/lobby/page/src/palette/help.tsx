/** Which keys there are. */

import { For, Show, onMount } from "solid-js";
import { commands, said } from "./commands";
import "./own";
import "./palette.css";
import { text as ofTiles } from "../tiles/text";
import { text } from "./text";

type Keys = [title: string, keys: string[]];

/** Keys that are not everywhere, and so are no commands. */
const PLACES: [place: string, keys: Keys[]][] = [
  [ofTiles.title, [[ofTiles.keys, ["Ctrl-Shift-←", "Ctrl-Shift-↑", "…"]], [ofTiles.resize, ["←", "→"]]]],
  [text.inList, [[text.walk, ["↑", "↓"]], [text.order, ["Alt-↑", "Alt-↓"]]]],
  [
    text.inTerminal,
    [
      [text.find, ["Ctrl-Shift-F"]],
      [text.larger, ["Ctrl-Plus"]],
      [text.smaller, ["Ctrl-Minus"]],
      [text.usual, ["Ctrl-0"]],
    ],
  ],
];

export function Help(props: { close(): void }) {
  let dialog!: HTMLDialogElement;
  onMount(() => dialog.showModal());
  const everywhere = (): Keys[] => {
    const by = new Map<string, string[]>();
    for (const command of commands()) {
      if (command.shortcut) by.set(said(command.title), [...(by.get(said(command.title)) ?? []), ...command.shortcut.split(" ")]);
    }
    return [...by];
  };
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => props.close()}>
      <h2 id="help-title">{text.help}</h2>
      <p class="note">{text.helpHint}</p>
      <For each={[[text.anywhere, everywhere()] as [string, Keys[]], ...PLACES]}>
        {([place, keys]) => (
          <Show when={keys.length > 0}>
            <h3>{place}</h3>
            <dl>
              <For each={keys}>
                {([title, names]) => (
                  <div>
                    <dt>{title}</dt>
                    <dd>
                      <For each={names}>{(name) => <kbd>{name}</kbd>}</For>
                    </dd>
                  </div>
                )}
              </For>
            </dl>
          </Show>
        )}
      </For>
      <div class="row">
        <button type="button" class="main" autofocus onClick={() => dialog.close()}>
          {text.close}
        </button>
      </div>
    </dialog>
  );
}

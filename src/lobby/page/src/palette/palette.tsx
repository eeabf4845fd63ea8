/**
 * The palette: commands and sessions in one input. A combobox with a list, as the ARIA Authoring Practices Guide
 * describes it: the focus stays in the input, and `aria-activedescendant` says which option is meant.
 */

import { For, Show, createEffect, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { arrange, layout } from "../layout/state";
import { registerLayout } from "../layout/own";
import { go } from "../route";
import { type Session, sessions } from "../sessions";
import { states } from "../text";
import { commands, said } from "./commands";
import { fuzzy } from "./fuzzy";
import "./own";
import "./palette.css";
import { setTarget } from "./target";
import { text } from "./text";

/** How many options are shown at once. */
const MAX_SHOWN = 50;
/** How far Page up and Page down go. */
const PAGE = 8;

interface Option {
  id: string;
  title: string;
  hint: string;
  score: number;
  key?: string;
  state?: Session["state"];
  run(): void;
}

function sessionOption(session: Session, query: string): Option {
  const where = [session.name, session.title, session.directory, session.branch].map((part) => fuzzy(query, part ?? ""));
  // Words may be of different fields.
  const all = fuzzy(query, [session.name, session.title, session.directory, session.agent].filter(Boolean).join(" ")) / 2;
  return {
    id: `session-${session.key}`,
    title: session.name,
    hint: [session.title, session.directory].filter(Boolean).join(" · "),
    score: Math.max(...where, all) + (query && session.state === "waiting" ? 5 : 0),
    state: session.state,
    run: () => go(`/session/${session.id}`),
  };
}

function options(query: string, isOfOne: boolean, isForTiles: boolean): Option[] {
  const acts: Option[] = commands()
    .filter((command) => !command.keyOnly && (!isOfOne || command.ofSession) && (command.when?.() ?? true))
    .map((command) => {
      const [title, hint] = [said(command.title), said(command.hint)];
      const score = Math.max(fuzzy(query, title), fuzzy(query, `${title} ${hint}`) / 2);
      const key = command.shortcut?.split(" ")[0];
      return { id: `command-${command.id}`, title, hint, score, ...(key && { key }), run: () => command.run() };
    });
  const live = isOfOne ? [] : sessions().filter((session) => session.live);
  const open = live.map((session) => sessionOption(session, query));
  if (isForTiles) {
    // Chosen is what is shown beside the others.
    const others = live.map((session, at) => ({ ...open[at]!, run: () => void arrange({ type: "add_tile", session: session.id }) }));
    const fit = others.filter((option, at) => option.score > 0 && !layout().tiles.sessions.includes(live[at]?.id ?? ""));
    return query ? fit.sort((a, b) => b.score - a.score) : fit;
  }
  // What was not asked for stays in the order of need; a sort keeps the order of equals.
  const all = [...open, ...acts].filter((option) => option.score > 0);
  return query ? all.sort((a, b) => b.score - a.score) : all;
}

export function Palette(props: { session?: string | undefined; tiles?: true | undefined; close(): void }) {
  registerLayout();
  setTarget(props.session ?? "");
  let dialog!: HTMLDialogElement;
  const [query, setQuery] = createSignal("");
  const [at, setAt] = createSignal(0);
  const found = createMemo(() => options(query().trim(), props.session !== undefined, props.tiles === true));
  const shown = createMemo(() => found().slice(0, MAX_SHOWN));
  const active = (): number => Math.min(at(), shown().length - 1);
  const before = document.activeElement;
  onMount(() => dialog.showModal());
  // A modal dialog gives the focus back by itself only if it is closed, not if it is taken away.
  onCleanup(() => before instanceof HTMLElement && before.isConnected && before.focus());
  const run = (option: Option | undefined): void => {
    if (!option) return;
    dialog.close();
    option.run();
  };
  const press = (event: KeyboardEvent): void => {
    const last = shown().length - 1;
    const steps: Record<string, number> = { ArrowDown: active() + 1, ArrowUp: active() - 1, PageDown: Math.min(last, active() + PAGE), PageUp: Math.max(0, active() - PAGE) };
    const to = steps[event.key];
    if (event.key === "Enter" && !event.isComposing) run(shown()[active()]);
    else if (to !== undefined) setAt(to > last ? 0 : to < 0 ? last : to);
    else return;
    event.preventDefault();
  };
  createEffect(() => {
    shown();
    dialog.querySelector(`#palette-option-${active()}`)?.scrollIntoView({ block: "nearest" });
  });
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label={text.commands}
      onClose={() => props.close()}
      onClick={(event) => event.target === dialog && dialog.close()}
    >
      <input
        type="text"
        role="combobox"
        aria-label={text.search}
        placeholder={text.search}
        aria-expanded={shown().length > 0}
        aria-controls="palette-options"
        aria-autocomplete="list"
        aria-activedescendant={shown().length > 0 ? `palette-option-${active()}` : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxlength={100}
        value={query()}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id="palette-options" role="listbox" aria-label={text.commands}>
        <For each={shown()}>
          {(option, index) => (
            <li
              id={`palette-option-${index()}`}
              role="option"
              aria-selected={index() === active()}
              onPointerMove={() => setAt(index())}
              onClick={() => run(option)}
            >
              <span class="name">
                <bdi>{option.title}</bdi>
              </span>
              <span class="hint">
                <bdi>{option.hint}</bdi>
              </span>
              <Show when={option.state}>
                {(state) => (
                  <span class="state" data-state={state()}>
                    {states[state()]}
                  </span>
                )}
              </Show>
              <Show when={option.key}>
                <kbd>{option.key}</kbd>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={found().length > MAX_SHOWN}>
        <p class="note">{text.more(found().length - MAX_SHOWN)}</p>
      </Show>
      <Show when={shown().length === 0}>
        <p class="note">{text.none}</p>
      </Show>
      <p class="spoken" role="status">
        {text.results(found().length)}
      </p>
    </dialog>
  );
}

/**
 * One session among others. It is shown as it is, and nothing of it is changed, until the person is in it: then it types
 * and decides the size if no one else looks at the session. Else, and if another view took over, that takes a click.
 */

import { Show, createEffect, createSignal, on, onCleanup } from "solid-js";
import { onlyWatches } from "../line";
import { load } from "../preload";
import { go } from "../route";
import { find } from "../sessions";
import { isSeen } from "../seen";
import { ended, states } from "../text-later";
import type { Opened } from "../terminal";
import { arrange } from "../layout/state";
import { text } from "./text";

interface TileProps {
  id: string;
  /** Whether it has the focus when it comes. */
  begins: boolean;
  focused(): void;
}

export function Tile(props: TileProps) {
  let element!: HTMLDivElement;
  let opened: Opened | undefined;
  const [drives, setDrives] = createSignal(false);
  const [reason, setReason] = createSignal("");
  const [hasDriven, setDriven] = createSignal(false);
  const session = () => find(props.id);
  const name = (): string => session()?.name ?? "";
  const isThere = (): boolean => session()?.live === true;
  const mayAttach = (): boolean => onlyWatches() || session()?.preload === true || hasDriven();
  const close = (): void => {
    opened?.close();
    opened = undefined;
    setDrives(false);
  };
  onCleanup(close);
  createEffect(
    on(
      () => isThere() && mayAttach() && isSeen(),
      async (isWanted) => {
        if (!isWanted) return close();
        const { open } = await load();
        if (opened || !element.isConnected || !isSeen()) return;
        setReason("");
        const own = open(element, props.id, { watch: onlyWatches(), preload: !onlyWatches() });
        opened = own;
        const nothing = (): void => undefined;
        const events = { connected: nothing, held: nothing, ended: setReason, drives: setDrives, printed: nothing, link: nothing, clipboard: nothing, find: nothing };
        own.show(element, events, true);
        if (props.begins) own.focus();
      },
    ),
  );
  const enter = (): void => {
    props.focused();
    // Once: what another view took over is not taken back by passing through.
    if (!opened || hasDriven() || onlyWatches() || (session()?.viewers ?? 0) > 0) return;
    setDriven(true);
    opened.takeOver();
  };
  const takeOver = (): void => {
    setDriven(true);
    opened?.takeOver();
  };
  return (
    <section class="tile" data-session={props.id} aria-label={name()} data-drives={drives()} onFocusIn={enter}>
      <header>
        <button type="button" class="quiet" title={text.alone(name())} aria-label={text.alone(name())} onClick={() => go(`/session/${props.id}`)}>
          <bdi>{name() || props.id}</bdi>
        </button>
        <Show when={session()}>
          {(known) => (
            <span class="state" data-state={known().state}>
              {states[known().state]}
            </span>
          )}
        </Show>
        <span class="space" />
        <Show when={isThere() && !drives() && !onlyWatches() && mayAttach()}>
          <span class="note">{(session()?.viewers ?? 0) > 0 ? text.othersLook : text.watching}</span>
          <button type="button" onClick={takeOver}>
            {text.typeHere}
            <span class="spoken"> {name()}</span>
          </button>
        </Show>
        <Show when={!onlyWatches()}>
          <button type="button" class="quiet" aria-label={text.remove(name())} title={text.remove(name())} onClick={() => arrange({ type: "remove_tile", session: props.id })}>
            ×
          </button>
        </Show>
      </header>
      <div class="terminal" ref={element} />
      <Show when={!isThere() || reason() || !mayAttach()}>
        <p class="over-tile" role="status">
          {!isThere() ? text.gone : reason() ? (ended[reason()] ?? reason()) : text.endsAlone}
        </p>
      </Show>
    </section>
  );
}

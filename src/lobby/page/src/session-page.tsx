/** One session's terminal. */

import { For, Show, createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import { copy } from "./clipboard";
import { base, sharedBy } from "./base";
import { piece } from "./later";
import { isOwn, onlyWatches } from "./line";
import { load, take } from "./preload";
import { go } from "./route";
import { isSeen } from "./seen";
import { SessionHeader } from "./session-header";
import { announce, find, grants } from "./sessions";
import { show } from "./shown";
import { change, settings } from "./settings";
import { bytes } from "./text";
import { ended, text } from "./text-later";
import type { Events, Opened } from "./terminal";

/** Sessions whose programs may write to the clipboard, until this page is left. */
const consents = new Set<string>();
const refusals = new Set<string>();

/** Soft keys, each with what it types. */
const KEYS: [string, string, string][] = [
  ["Esc", "\x1b", "Esc"],
  ["Tab", "\t", "Tab"],
  ["←", "\x1b[D", "Left"],
  ["↓", "\x1b[B", "Down"],
  ["↑", "\x1b[A", "Up"],
  ["→", "\x1b[C", "Right"],
];

const Files = piece(() => import("./files/files").then((loaded) => loaded.Files));

export function SessionPage(props: { id: string }) {
  let element!: HTMLDivElement;
  const [isConnected, setConnected] = createSignal(true);
  const [held, setHeld] = createSignal(0);
  const [reason, setReason] = createSignal("");
  const [drives, setDrives] = createSignal<boolean>();
  const [isPrinted, setPrinted] = createSignal(false);
  const [link, setLink] = createSignal("");
  const [asked, setAsked] = createSignal("");
  const [isFinding, setFinding] = createSignal(false);
  const [isCtrl, setCtrl] = createSignal(false);
  const session = () => find(props.id);
  // Of what is shared the lobby says whether this view may type.
  const watch = new URLSearchParams(location.search).has("watch") || (onlyWatches() && !sharedBy);
  const mayDrive = (): boolean => !watch && (!sharedBy || grants()[props.id]?.drive === true);
  const [isHanded, setHanded] = createSignal(false);
  let opened: Opened | undefined;
  let isGone = false;
  const clipboard = async (wanted: string): Promise<void> => {
    if (refusals.has(props.id)) return;
    if (!consents.has(props.id)) setAsked(wanted);
    else announce((await copy(wanted)) ? text.copied : text.clipboardFails);
  };
  const events: Events = {
    connected: setConnected,
    held: setHeld,
    ended: setReason,
    drives: (is) => {
      setDrives(is);
      if (!is) setHanded(false);
    },
    handed: () => {
      setHanded(true);
      announce(text.handed(sharedBy));
    },
    printed: () => setPrinted(true),
    link: setLink,
    clipboard: (wanted) => void clipboard(wanted),
    find: () => setFinding(true),
  };
  /** `isBack` after the page was hidden for so long that the terminal was given up. */
  const begin = async (isBack: boolean): Promise<void> => {
    const id = props.id;
    opened = watch || isBack ? undefined : take(id);
    // Another view that has come meanwhile goes on driving.
    const waits = isBack && !watch && session()?.preload === true && (session()?.viewers ?? 0) > 0;
    if (!opened) {
      const { open } = await load();
      if (isGone || opened || !isSeen()) return;
      opened = open(element, id, { watch, preload: waits });
    }
    opened.show(element, events, waits);
  };
  onMount(() => begin(false));
  createEffect(
    on(
      isSeen,
      (is) => {
        if (is && !opened && !isGone) void begin(true);
        // Keys that are held are not given up.
        if (is || !opened || !isConnected() || held() > 0 || reason()) return;
        opened.close();
        opened = undefined;
      },
      { defer: true },
    ),
  );
  const ctrlUsed = (): void => void setCtrl(false);
  addEventListener("lobby:ctrl-used", ctrlUsed);
  onCleanup(() => {
    isGone = true;
    removeEventListener("lobby:ctrl-used", ctrlUsed);
    opened?.close();
  });
  const answer = async (isAllowed: boolean): Promise<void> => {
    const wanted = asked();
    setAsked("");
    (isAllowed ? consents : refusals).add(props.id);
    if (isAllowed && wanted) announce((await copy(wanted)) ? text.copied : text.clipboardFails);
    opened?.focus();
  };
  return (
    <main class="session">
      <SessionHeader id={props.id}>
        <Show when={!isConnected()}>
          <span class="line" role="status">
            {text.loading} {held() > 0 ? text.held(held()) : ""}
          </span>
        </Show>
        <Show when={drives() === false}>
          <span class="line" role="status">
            {text.watching} <span class="note">{watch || sharedBy ? "" : text.drivenElsewhere}</span>
          </span>
          <Show when={mayDrive()}>
            <button type="button" class="main" onClick={() => opened?.takeOver()}>
              {text.takeOver}
            </button>
          </Show>
        </Show>
        <Show when={isHanded()}>
          <span class="line" role="status">
            {text.handed(sharedBy)}
          </span>
        </Show>
        <Show when={session()?.agent}>
          <button type="button" onClick={() => go(`/session/${props.id}/text`)}>
            {text.asText}
          </button>
        </Show>
        <details class="menu">
          <summary>{text.view}</summary>
          <div>
            <Show when={!base && session()}>
              {(known) => (
                <button type="button" onClick={() => show({ kind: "share", session: { ...known() } })}>
                  {text.share}…
                </button>
              )}
            </Show>
            <button type="button" onClick={() => setFinding(true)} title="Ctrl-Shift-F">
              {text.find}
            </button>
            <button type="button" onClick={() => opened?.zoom(1)} title="Ctrl-Plus">
              {text.larger}
            </button>
            <button type="button" onClick={() => opened?.zoom(-1)} title="Ctrl-Minus">
              {text.smaller}
            </button>
            <label class="check">
              <input
                type="checkbox"
                checked={settings().copyOnSelect}
                onChange={(event) => change({ copyOnSelect: event.currentTarget.checked })}
              />
              {text.copyOnSelect}
            </label>
            <label class="check">
              <input type="checkbox" checked={settings().reader} onChange={(event) => opened?.read(event.currentTarget.checked)} />
              {text.reader}
            </label>
          </div>
        </details>
        <Show when={!watch && isOwn() && isPrinted()}>
          <Files id={props.id} target={element} insert={(path) => opened?.paste(path)} />
        </Show>
      </SessionHeader>
      <Show when={asked()}>
        {(wanted) => (
          <div class="ask" role="alert">
            <p>{text.clipboard(bytes(new Blob([wanted()]).size))}</p>
            <button type="button" class="main" onClick={() => answer(true)}>
              {text.allow}
            </button>
            <button type="button" onClick={() => answer(false)}>
              {text.deny}
            </button>
          </div>
        )}
      </Show>
      <Show when={isFinding()}>
        <Find
          find={(wanted, isBack) => opened?.find(wanted, isBack) ?? false}
          close={() => {
            setFinding(false);
            opened?.stopFinding();
          }}
        />
      </Show>
      <div class="terminal" ref={element} />
      <Show when={link()}>
        <p class="link">
          <bdi dir="ltr">{text.opens(link())}</bdi>
        </p>
      </Show>
      <Show when={mayDrive()}>
        {/* A key that took the focus would close the on-screen keyboard. */}
        <div class="keys" role="toolbar" aria-label={text.keys} onMouseDown={(event) => event.preventDefault()}>
          <button
            type="button"
            aria-pressed={isCtrl()}
            onClick={() => {
              setCtrl(!isCtrl());
              opened?.holdCtrl(isCtrl());
            }}
          >
            Ctrl
          </button>
          <For each={KEYS}>
            {([label, typed, name]) => (
              <button type="button" aria-label={name} onClick={() => opened?.press(typed)}>
                {label}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={!isPrinted() && !reason() && isConnected()}>
        <p class="starting" role="status">
          {text.starting}
        </p>
      </Show>
      <Show when={reason()}>
        <div class="over" role="alert">
          <p>{ended[reason()] ?? reason()}</p>
          <button type="button" onClick={() => go("/")}>
            {text.back}
          </button>
        </div>
      </Show>
    </main>
  );
}

function Find(props: { find(text: string, isBack: boolean): boolean; close(): void }) {
  let input!: HTMLInputElement;
  const [wanted, setWanted] = createSignal("");
  const [isFound, setFound] = createSignal(true);
  onMount(() => input.focus());
  createEffect(() => setFound(wanted() === "" || props.find(wanted(), false)));
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setFound(props.find(wanted(), false));
      }}
      onKeyDown={(event) => event.key === "Escape" && props.close()}
    >
      <input ref={input} aria-label={text.findHint} placeholder={text.findHint} onInput={(event) => setWanted(event.currentTarget.value)} />
      <button type="button" onClick={() => setFound(props.find(wanted(), true))}>
        {text.previous}
      </button>
      <button type="submit">{text.next}</button>
      <span role="status">{isFound() ? "" : text.notFound}</span>
      <button type="button" class="quiet" onClick={() => props.close()}>
        {text.close}
      </button>
    </form>
  );
}

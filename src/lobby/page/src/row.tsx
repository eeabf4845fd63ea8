/** One session of the list. */

import { For, Match, Show, Switch, createMemo } from "solid-js";
import { api } from "./api";
import { isMuted, isUnread, mute } from "./attention/marks";
import { base } from "./base";
import { arrange, layout } from "./layout/state";
import { onlyWatches } from "./line";
import { leave, preload } from "./preload";
import { addressOf, isTextFirst } from "./phone/first";
import { go } from "./route";
import type { Session } from "./sessions";
import type { Shown } from "./shown";
import { ago, bytes, moment, states, text } from "./text";

interface RowProps {
  session: Session;
  now: number;
  ask(dialog: Shown): void;
  tell(done: Promise<unknown>): void;
}

export function Row(props: RowProps) {
  const session = () => props.session;
  const isPinned = () => layout().pins.includes(session().key);
  const open = (event: MouseEvent): void => {
    if (!session().live || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    performance.mark("lobby:click", { startTime: event.timeStamp });
    go(addressOf(session()));
  };
  const facts = createMemo(() => {
    const { agent, model, windows, viewers, commands, memory } = session();
    const of = [
      [agent, model].filter(Boolean).join(" "),
      windows > 1 ? text.windows(windows) : "",
      commands ? text.commands(commands) : "",
      viewers > 0 ? text.viewers(viewers) : "",
      memory ? bytes(memory) : "",
    ];
    return of.filter(Boolean);
  });
  /** For a screen reader, which session a button is for. */
  const of = () => <span class="spoken"> {session().name}</span>;
  return (
    <li draggable={!onlyWatches()} data-session={session().key} data-state={session().state} classList={{ ending: session().ending ?? false }}>
      <a
        class="row-main"
        href={session().live ? `${base}${addressOf(session())}` : undefined}
        onClick={open}
        onPointerEnter={(event) => event.pointerType === "mouse" && preload(session())}
        onPointerDown={() => isTextFirst() || preload(session(), true)}
        onFocus={() => preload(session())}
        onPointerLeave={leave}
        onBlur={leave}
      >
        <span class="state" data-state={session().state}>
          {states[session().state]}
          <Show when={session().waiting_for}>
            : <bdi>{session().waiting_for}</bdi>
          </Show>
          <Show when={session().since}>{(since) => <span class="since"> {ago(since(), props.now)}</span>}</Show>
        </span>
        <span class="name">
          <bdi>{session().name}</bdi>
        </span>
        <Show when={isUnread(session())}>
          <span class="unread">{text.unread}</span>
        </Show>
        <span class="title">
          <bdi>{session().title ?? ""}</bdi>
        </span>
        <span class="where">
          <bdi dir="ltr">{session().directory}</bdi>
          <Show when={session().branch}>
            {(branch) => (
              <>
                {" "}
                <bdi class="branch">{branch()}</bdi>
              </>
            )}
          </Show>
          <For each={facts()}>
            {(fact) => (
              <>
                {" · "}
                <bdi>{fact}</bdi>
              </>
            )}
          </For>
        </span>
        <Show when={session().changed > 0}>
          <time class="age" dateTime={new Date(session().changed * 1000).toISOString()} title={moment(session().changed)}>
            {ago(session().changed, props.now)}
          </time>
        </Show>
      </a>
      <span class="acts">
        <Show when={!onlyWatches()}>
          <Switch>
            <Match when={session().ending}>
              <span class="note">{text.ending}</span>
              <button type="button" onClick={() => props.tell(api.keep(session().id))}>
                {text.undo}
                {of()}
              </button>
            </Match>
            <Match when={!session().live}>
              <button type="button" onClick={() => props.ask({ kind: "restore", keys: [session().key] })}>
                {text.restore}
                {of()}
              </button>
            </Match>
            <Match when={true}>
              <Show when={session().state === "idle" && session().agent}>
                <button type="button" class="quiet" onClick={() => props.tell(api.suspend(session().id))}>
                  {text.suspend}
                  {of()}
                </button>
              </Show>
              <Show when={session().state === "suspended"}>
                <button type="button" class="quiet" onClick={() => props.tell(api.resume(session().id))}>
                  {text.resume}
                  {of()}
                </button>
              </Show>
              <button type="button" class="quiet" aria-pressed={isPinned()} onClick={() => arrange({ type: "pin", session: session().id, is: !isPinned() })}>
                {text.pin}
                {of()}
              </button>
              <button
                type="button"
                class="quiet"
                aria-pressed={isMuted(session().id)}
                onClick={() => props.tell(mute(session().id, !isMuted(session().id)))}
              >
                {text.mute}
                {of()}
              </button>
              <button type="button" class="quiet" onClick={() => props.ask({ kind: "rename", session: { ...session() } })}>
                {text.rename}
                {of()}
              </button>
              <button type="button" class="quiet" onClick={() => props.tell(api.end(session().id))}>
                {text.end}
                {of()}
              </button>
              <button type="button" class="quiet" onClick={() => props.ask({ kind: "palette", session: session().id })}>
                {text.more}
                {of()}
              </button>
            </Match>
          </Switch>
        </Show>
      </span>
    </li>
  );
}

/** The list of sessions. */

import { For, Show, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { awayCount } from "./attention/marks";
import { base, sharedBy } from "./base";
import { type Group, groups } from "./layout/groups";
import { arrange, layout, layoutProblem } from "./layout/state";
import { loaded, piece } from "./later";
import { line, me, onlyWatches } from "./line";
import { isTextFirst } from "./phone/first";
import { go, search } from "./route";
import { Row } from "./row";
import { show } from "./shown";
import { change } from "./settings";
import { type Session, count, isLoaded, place, sessions } from "./sessions";
import { states, text } from "./text";

const SharedGroups = piece(() => import("./share/shared-groups").then((loaded) => loaded.SharedGroups));

const PromptFirst = piece(() => import("./new-session/prompt-first").then((loaded) => loaded.PromptFirst));

const matches = (session: Session, words: string[]): boolean => {
  const of = [session.name, session.title, session.directory, session.agent, session.model, session.branch, session.waiting_for, states[session.state]];
  const all = of.filter(Boolean).join(" ").toLowerCase();
  return words.every((word) => all.includes(word));
};

/** Arrow keys go from row to row. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target;
  if (!step || !(here instanceof HTMLElement) || here.closest("dialog, select, textarea")) return;
  const rows = Array.from(document.querySelectorAll<HTMLElement>("li[data-session]"));
  const at = rows.findIndex((row) => row.contains(here));
  const next = rows[at < 0 ? 0 : at + step]?.querySelector<HTMLElement>("a[href], button");
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export function List() {
  const [query, setQuery] = createSignal("");
  const [error, setError] = createSignal("");
  const [now, setNow] = createSignal(Date.now() / 1000);
  const clock = setInterval(() => setNow(Date.now() / 1000), 30_000);
  onCleanup(() => clearInterval(clock));
  const found = createMemo(() => {
    const words = query().toLowerCase().split(/\s+/).filter(Boolean);
    return sessions().filter((session) => matches(session, words));
  });
  const shown = createMemo(() => groups(found(), layout(), query() === ""));
  const tell = (done: Promise<unknown>): void => {
    setError("");
    done.catch((failed: Error) => setError(failed.message));
  };
  const toConversations = (): void => {
    if (!onlyWatches()) search(query());
  };
  const canRestore = () => !onlyWatches() && sessions().some((session) => !session.live);

  let main!: HTMLElement;
  onMount(async () => {
    const { listen } = await loaded(() => import("./layout/arranging"));
    if (main.isConnected) isLeft = listen(main);
  });
  let isLeft = (): void => undefined;
  onCleanup(() => isLeft());
  return (
    <main class="list" ref={main} onKeyDown={walk}>
      <header>
        <h1>
          <bdi>{place().host || text.title}</bdi>
        </h1>
        <Show when={isLoaded()}>
          <span class="counts">{text.counts(count("waiting"), count("working"))}</span>
        </Show>
        <input
          type="search"
          dir="auto"
          placeholder={text.search}
          aria-label={text.search}
          value={query()}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && !event.isComposing && query() && toConversations()}
        />
        <Show when={canRestore()}>
          <button type="button" onClick={() => go("/restore")}>
            {text.restoreAll}
          </button>
        </Show>
        <Show when={!onlyWatches()}>
          <button type="button" class="main" onClick={() => show({ kind: "new" })}>
            {text.newSession}
          </button>
        </Show>
      </header>
      <Show when={!onlyWatches() && isLoaded()}>
        <PromptFirst />
      </Show>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={layoutProblem()}>
        <p class="error" role="alert">
          {text.layoutFails}: {layoutProblem()}
        </p>
      </Show>
      <Show when={awayCount() > 0}>
        <p class="note">
          <a href="/away" onClick={(event) => (event.preventDefault(), go("/away"))}>
            {text.away(awayCount())}
          </a>
        </p>
      </Show>
      <For each={shown().map((group) => group.name)}>
        {(name) => {
          // Groups are known by their names, so that a change of one draws no other one anew.
          const group = (): Group | undefined => shown().find((one) => one.name === name);
          const isCollapsed = (): boolean => layout().collapsed.includes(name) && query() === "";
          return (
            <section data-group={name}>
              <Show when={group()?.title}>
                {(title) => (
                  <h2>
                    <button
                      type="button"
                      class="quiet"
                      aria-expanded={!isCollapsed()}
                      disabled={onlyWatches()}
                      onClick={() => arrange({ type: "collapse", name, is: !isCollapsed() })}
                    >
                      <bdi>{title()}</bdi>
                      <Show when={isCollapsed()}> ({group()?.sessions.length})</Show>
                    </button>
                  </h2>
                )}
              </Show>
              <Show when={!isCollapsed()}>
                <ul aria-label={group()?.title || text.title}>
                  <For each={group()?.sessions}>{(session) => <Row session={session} now={now()} ask={show} tell={tell} />}</For>
                </ul>
              </Show>
            </section>
          );
        }}
      </For>
      <Show when={found().length === 0}>
        <div class="empty">
          <Show when={isLoaded()} fallback={<p>{line() === "connecting" || line() === "online" ? text.loading : text.offlineBadge}</p>}>
            <p>{sessions().length === 0 ? text.empty : text.noneFound}</p>
            <Show when={sessions().length === 0}>
              <p class="note">{text.emptyHint}</p>
            </Show>
          </Show>
        </div>
      </Show>
      <Show when={me() && !base && me()?.mode !== "open"}>
        <SharedGroups now={now()} />
      </Show>
      <Show when={query() && !onlyWatches()}>
        <button type="button" class="quiet" onClick={toConversations}>
          {text.searchAll(query())}
        </button>
      </Show>
      <footer>
        <label class="check">
          <input
            type="checkbox"
            checked={layout().by_directory}
            disabled={onlyWatches()}
            onChange={(event) => arrange({ type: "by_directory", is: event.currentTarget.checked })}
          />
          {text.group}
        </label>
        <label class="check">
          <input type="checkbox" checked={isTextFirst()} onChange={(event) => change({ textFirst: event.currentTarget.checked })} />
          {text.textFirst}
        </label>
        <Show when={!sharedBy}>
        <a class="quiet" data-tiles href={`${base}/tiles`} onClick={(event) => (event.ctrlKey || event.metaKey || event.shiftKey) || (event.preventDefault(), go("/tiles"))}>
          {text.tiles}
          <Show when={layout().tiles.sessions.length > 0}> ({layout().tiles.sessions.length})</Show>
        </a>
        </Show>
        <Show when={me()?.admin && !base && (me()?.users.length ?? 0) > 0}>
          <button type="button" class="quiet" onClick={() => show({ kind: "look" })}>
            {text.lookAt}…
          </button>
        </Show>
        <Show when={!sharedBy}>
          <button type="button" class="quiet" onClick={() => go("/restore")}>
            {text.snapshots}
          </button>
        </Show>
        <Show when={!base}>
          <button type="button" class="quiet" onClick={() => go("/settings")}>
            {text.settings}
          </button>
        </Show>
        <Show when={me() && !base}>
          <button type="button" class="quiet" onClick={() => go("/sharing")}>
            {text.sharing}
          </button>
        </Show>
        <Show when={me()?.logins && !base}>
          <button type="button" class="quiet" onClick={() => go("/logins")}>
            {text.logins}
          </button>
        </Show>
        <a class="quiet" href="/licenses.txt">
          {text.licences}
        </a>
      </footer>
    </main>
  );
}

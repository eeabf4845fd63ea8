/** Words that were said in any conversation, and where. */

import { For, Show, createSignal, onCleanup, onMount } from "solid-js";
import { base } from "../base";
import { Resume } from "../conversation/resume";
import { onlyWatches } from "../line";
import { go } from "../route";
import { ago, moment } from "../text";
import { type Found, type Hit, seek } from "./seeking";
import { text } from "./text";
import "./search.css";

/** After a key, before the words are searched, in milliseconds. */
const SETTLES = 120;
/** Conversations of the first answer, and more with each click. */
const STEP = 30;
/** No more is searched, in bytes: see src/lobby/search/words.rs. */
const MAX_WORDS = 300;

export function SearchPage() {
  return (
    <Show when={!onlyWatches()} fallback={<p class="notice">{text.watching}</p>}>
      <Search />
    </Show>
  );
}

/** Arrow keys go from hit to hit. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target;
  if (!step || !(here instanceof HTMLElement)) return;
  const all = Array.from(document.querySelectorAll<HTMLElement>(".search-page input, .search-page a.hit"));
  const next = all[all.indexOf(here) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function Search() {
  let input!: HTMLInputElement;
  const seeking = seek();
  const state = history.state as { words?: string } | null;
  const [words, setWords] = createSignal((state?.words ?? "").slice(0, MAX_WORDS));
  const [limit, setLimit] = createSignal(STEP);
  let timer: number | undefined;
  const find = (): void => seeking.find(words(), limit());
  const typed = (value: string): void => {
    setWords(value);
    setLimit(STEP);
    history.replaceState({ words: value }, "");
    clearTimeout(timer);
    timer = window.setTimeout(find, SETTLES);
  };
  onMount(() => {
    input.focus();
    find();
  });
  onCleanup(() => {
    clearTimeout(timer);
    seeking.close();
  });
  const share = (): number => {
    const { read = 0, of = 0 } = seeking.progress() ?? {};
    return of > 0 ? Math.floor((100 * read) / of) : 100;
  };
  const summary = (): string => {
    const answer = seeking.answer();
    if (!answer) return "";
    if (answer.conversations.length > 0) return text.found(answer.all, answer.messages);
    return seeking.progress()?.reading ? text.noneYet : text.none;
  };
  return (
    <main class="search-page" onKeyDown={walk}>
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={text.back} title={`${text.back} (Ctrl-Shift-K)`}>
          ‹
        </button>
        <h1>{text.title}</h1>
      </header>
      <input
        ref={input}
        type="search"
        dir="auto"
        maxLength={MAX_WORDS}
        aria-label={text.label}
        aria-describedby="search-hint"
        placeholder={text.label}
        value={words()}
        onInput={(event) => typed(event.currentTarget.value)}
      />
      <p class="note" id="search-hint">
        {text.hint}
      </p>
      <p class="note" role="status">
        <Show when={seeking.connected()} fallback={text.disconnected}>
          <Show when={seeking.progress()?.reading}>{text.reading(seeking.progress()!.files, seeking.progress()!.of_files, share())}</Show>{" "}
          {summary()}
        </Show>
      </p>
      <Show when={seeking.progress()?.trouble || seeking.error()}>
        {(why) => (
          <p class="error" role="alert">
            {seeking.error() || text.trouble(why())}
          </p>
        )}
      </Show>
      <ol>
        <For each={seeking.answer()?.conversations ?? []}>{(found) => <Conversation found={found} />}</For>
      </ol>
      <Show when={(seeking.answer()?.all ?? 0) > limit()}>
        <button
          type="button"
          onClick={() => {
            setLimit(limit() + STEP);
            find();
          }}
        >
          {text.more}
        </button>
      </Show>
    </main>
  );
}

function Conversation(props: { found: Found }) {
  const address = (hit: Hit): string => {
    const { session, agent, id } = props.found;
    return session ? `/session/${session[0]}/text/${hit.at}` : `/conversation/${encodeURIComponent(agent)}/${encodeURIComponent(id)}/${hit.at}`;
  };
  const open = (event: MouseEvent, hit: Hit): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(address(hit));
  };
  return (
    <li>
      <h2>
        <bdi>{props.found.title || text.untitled}</bdi>
      </h2>
      <p class="note">
        <bdi>{props.found.agent}</bdi> · <bdi dir="ltr">{props.found.directory}</bdi> ·{" "}
        <time title={moment(props.found.last)}>{ago(props.found.last, Date.now() / 1000)}</time> ·{" "}
        <bdi>{props.found.session ? text.inSession(props.found.session[1]) : text.past}</bdi>
      </p>
      <For each={props.found.hits}>
        {(hit) => (
          <a class="hit" href={base + address(hit)} onClick={(event) => open(event, hit)}>
            <span class="note">{hit.is_prompt ? text.prompt : props.found.agent}</span>{" "}
            <bdi>
              <For each={hit.pieces}>{(piece, at) => (at() % 2 === 1 ? <mark>{piece}</mark> : piece)}</For>
            </bdi>
          </a>
        )}
      </For>
      <p class="row">
        <Show when={props.found.messages > props.found.hits.length}>
          <span class="note">{text.further(props.found.messages - props.found.hits.length)}</span>
        </Show>
        <Show when={!props.found.session}>
          <Resume agent={props.found.agent} id={props.found.id} name={props.found.title} />
        </Show>
      </p>
    </li>
  );
}

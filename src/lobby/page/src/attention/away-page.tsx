/** What happened while the person was away. To see it marks it as seen. */

import { For, type JSX, Show, createMemo, createResource, createSignal } from "solid-js";
import { go } from "../route";
import { type Session, sessions } from "../sessions";
import { moment, states } from "../text";
import { attention } from "./api";
import { text } from "./text";
import { goneSince, waitsSince } from "./things";

export function AwayPage() {
  const [error, setError] = createSignal("");
  const fails = (failed: Error): undefined => void setError(failed.message);
  const [away] = createResource(async () => {
    const found = await attention.away().catch(fails);
    if (found) await attention.see(found.now).catch(fails);
    return found;
  });
  const since = (): number => away()?.seen ?? Number.POSITIVE_INFINITY;
  const waits = createMemo(() => waitsSince(sessions(), since()));
  const gone = createMemo(() => goneSince(sessions(), since()));
  const isNothing = (): boolean => away()?.events.length === 0 && waits().length + gone().length === 0;
  /** The live session of a name: an event knows no id. */
  const live = (name: string | undefined): Session | undefined => sessions().find((session) => session.live && session.name === name);
  return (
    <main class="list">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={text.back} title={text.back}>
          ‹
        </button>
        <h1>{text.away}</h1>
      </header>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={away()} fallback={<Show when={!error()}><p class="empty">{text.loading}</p></Show>}>
        {(found) => (
          <>
            <p class="note">{text.awaySince(moment(found().seen))}</p>
            <Show when={isNothing()}>
              <p class="empty">{text.nothing}</p>
            </Show>
            <Part title={text.waits} each={waits()}>
              {(session) => <Thing session={session} time={session.since ?? 0} message={`${session.name}: ${session.waiting_for ?? states[session.state]}`} />}
            </Part>
            <Part title={text.happened} each={found().events.toReversed()}>
              {(event) => <Thing session={live(event.session)} time={event.time} message={event.message} />}
            </Part>
            <Show when={found().more > 0}>
              <p class="note">{text.more(found().more)}</p>
            </Show>
            <Part title={text.gone} each={gone()}>
              {(session) => <Thing session={undefined} time={session.changed} message={`${session.name}: ${states[session.state]}`} />}
            </Part>
          </>
        )}
      </Show>
    </main>
  );
}

function Part<T>(props: { title: string; each: T[]; children: (item: T) => JSX.Element }) {
  return (
    <Show when={props.each.length > 0}>
      <h2>{props.title}</h2>
      <ul aria-label={props.title}>
        <For each={props.each}>{props.children}</For>
      </ul>
    </Show>
  );
}

function Thing(props: { session: Session | undefined; time: number; message: string }) {
  const path = (): string | undefined => (props.session ? `/session/${props.session.id}` : undefined);
  return (
    <li>
      <a
        class="thing"
        href={path()}
        onClick={(event) => {
          const to = path();
          if (!to || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          go(to);
        }}
      >
        <span class="login">
          <bdi>{props.message}</bdi>
          <time class="note" dateTime={new Date(props.time * 1000).toISOString()}>
            {moment(props.time)}
          </time>
        </span>
      </a>
    </li>
  );
}

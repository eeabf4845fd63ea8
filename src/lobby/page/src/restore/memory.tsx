/** What suspended agents gave back: which are suspended now, and what happened before. */

import { For, Show, createSignal } from "solid-js";
import { api } from "../api";
import { onlyWatches } from "../line";
import { sessions } from "../sessions";
import { bytes, moment } from "../text-later";
import type { Past } from "./api";
import { text } from "./text";

export function Memory(props: { past: Past }) {
  const [error, setError] = createSignal("");
  const suspended = () => sessions().filter((session) => session.state === "suspended");
  const ofSession = (name: string) => props.past.memory.find((event) => event.name === name && event.kind === "suspended");
  return (
    <section aria-labelledby="memory">
      <h2 id="memory">{text.memory}</h2>
      <Show when={props.past.free}>{(free) => <p class="note">{text.free(bytes(free()))}</p>}</Show>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={suspended().length === 0 && props.past.memory.length === 0}>
        <p class="note">{text.noneSuspended}</p>
      </Show>
      <Show when={suspended().length > 0}>
        <ul class="plan" aria-label={text.suspended}>
          <For each={suspended()}>
            {(session) => (
              <li class="suspended">
                <strong>
                  <bdi>{session.name}</bdi>
                </strong>{" "}
                <span class="note">
                  <Show when={ofSession(session.name)} fallback={text.suspended}>
                    {(event) => (
                      <>
                        {text.suspended} {moment(event().time)}
                        <Show when={event().bytes}>{(size) => <>, {text.gaveBack(bytes(size()))}</>}</Show>
                      </>
                    )}
                  </Show>
                </span>
                <Show when={!onlyWatches()}>
                  <button
                    type="button"
                    onClick={() => {
                      setError("");
                      api.resume(session.id).catch((failed: Error) => setError(failed.message));
                    }}
                  >
                    {text.resume}
                    <span class="spoken"> {session.name}</span>
                  </button>
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={props.past.memory.length > 0}>
        <details>
          <summary>{text.earlierEvents(props.past.memory.length)}</summary>
          <ul>
            <For each={props.past.memory}>
              {(event) => (
                <li>
                  <time dateTime={new Date(event.time * 1000).toISOString()}>{moment(event.time)}</time> <bdi>{event.name}</bdi>{" "}
                  {event.kind === "suspended" ? text.suspended : text.woken}
                  <Show when={event.bytes}>{(size) => <>, {text.gaveBack(bytes(size()))}</>}</Show>
                </li>
              )}
            </For>
          </ul>
        </details>
      </Show>
    </section>
  );
}

/** Who has a session open now, for all who have; its owner can hand the keyboard over. */

import { For, Show, createSignal } from "solid-js";
import { base } from "../base";
import { me } from "../line";
import { people } from "../sessions";
import { asked } from "./asked";
import { text } from "./text";
import "./share.css";

export function AtSession(props: { id: string }) {
  const [error, setError] = createSignal("");
  const self = () => me()?.actor ?? "";
  const others = () => (people()[props.id] ?? []).filter((person) => person.name !== self());
  const nameOf = (name: string): string => (name === "-" ? text.someone : name);
  const handOver = (name: string): void => {
    setError("");
    asked.handOver(props.id, name).catch((failed: Error) => setError(failed.message));
  };
  return (
    <Show when={others().length > 0}>
      <span class="people" role="status" aria-label={text.here}>
        <For each={others()}>
          {(person) => (
            <span class="person" data-drives={person.drives}>
              <bdi>{person.drives ? text.drives(nameOf(person.name)) : nameOf(person.name)}</bdi>
            </span>
          )}
        </For>
      </span>
      <For each={base ? [] : others().filter((person) => person.may_drive && !person.drives)}>
        {(person) => (
          <button type="button" onClick={() => handOver(person.name)}>
            {text.handOver(person.name)}
          </button>
        )}
      </For>
      <Show when={error()}>
        <span class="error" role="alert">
          {error()}
        </span>
      </Show>
    </Show>
  );
}

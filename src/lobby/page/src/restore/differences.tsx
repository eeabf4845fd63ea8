/** What of a snapshot is there already, has changed, or is newer than it. */

import { For, Show } from "solid-js";
import type { Changed, Plan } from "../api";
import { there } from "./plan";
import { text } from "./text";

export function Differences(props: { plan: Plan }) {
  const changes = (isNew: boolean) => (props.plan.changes ?? []).filter((one) => (one.change === "added") === isNew);
  return (
    <>
      <Folded title={text.there(there(props.plan).length)} count={there(props.plan).length}>
        <For each={there(props.plan)}>
          {(name) => (
            <li>
              <bdi>{name}</bdi>
            </li>
          )}
        </For>
      </Folded>
      <Folded title={text.changed(changes(false).length)} count={changes(false).length}>
        <For each={changes(false)}>{(changed) => <Change changed={changed} />}</For>
      </Folded>
      <Folded title={text.newer(changes(true).length)} count={changes(true).length}>
        <For each={changes(true)}>
          {(added) => (
            <li>
              <bdi>{added.name}</bdi>
            </li>
          )}
        </For>
      </Folded>
    </>
  );
}

function Folded(props: { title: string; count: number; children: Element | unknown }) {
  return (
    <Show when={props.count > 0}>
      <details class="differences">
        <summary>{props.title}</summary>
        <ul>{props.children as never}</ul>
      </details>
    </Show>
  );
}

function Change(props: { changed: Changed }) {
  const value = (value: string | undefined): string => (value ? value : text.unset);
  return (
    <li>
      <strong>
        <bdi>{props.changed.name}</bdi>
      </strong>
      <Show when={props.changed.was}>{(was) => <span class="note"> {text.was(was())}</span>}</Show>
      <ul>
        <For each={props.changed.fields}>
          {(field) => (
            <li>
              {`${field.window}.${field.pane}`}{" "}
              <bdi>
                {field.field
                  ? text.nowIs(text.fields[field.field] ?? field.field, value(field.from), value(field.to))
                  : field.change === "added"
                    ? text.paneNew
                    : text.paneGone}
              </bdi>
            </li>
          )}
        </For>
      </ul>
    </li>
  );
}

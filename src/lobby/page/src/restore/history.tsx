/** One session over the snapshots: when it was what. */

import { For, Show, createResource, createSignal } from "solid-js";
import { moment, text as common } from "../text-later";
import { ofSnapshots, settled } from "./api";
import { text } from "./text";

export function History(props: { session: string; name: string }) {
  const [isOpen, setOpen] = createSignal(false);
  const [history] = createResource(isOpen, (wanted) => (wanted ? settled(ofSnapshots.history(props.session)) : undefined));
  return (
    <details class="history" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {text.history}
        <span class="spoken"> {props.name}</span>
      </summary>
      <Show when={!history.loading} fallback={<p class="note">{common.loading}</p>}>
        <Show when={history()?.error}>
          {(error) => (
            <p class="error" role="alert">
              {error()}
            </p>
          )}
        </Show>
        <Show when={history()?.value?.periods.length === 0}>
          <p class="note">{text.noHistory}</p>
        </Show>
        <ol aria-label={text.historyOf(props.name)}>
          <For each={history()?.value?.periods}>
            {(period) => (
              <li>
                <time dateTime={new Date(period.last * 1000).toISOString()}>
                  {period.first === period.last ? moment(period.last) : `${moment(period.first)} - ${moment(period.last)}`}
                </time>{" "}
                <span class="note">{text.inSnapshots(period.snapshots)}</span>{" "}
                <Show when={period.name !== props.name}>
                  <bdi>{period.name}</bdi>
                </Show>
                <ul>
                  <For each={period.panes}>
                    {(pane) => (
                      <li>
                        {`${pane.window}.${pane.pane}`} <bdi>{pane.agent ?? text.paneStates[pane.state]}</bdi>{" "}
                        <Show when={pane.agent && pane.state !== "live"}>{text.paneStates[pane.state]} </Show>
                        <bdi dir="ltr">{pane.directory}</bdi>
                      </li>
                    )}
                  </For>
                </ul>
              </li>
            )}
          </For>
        </ol>
      </Show>
    </details>
  );
}

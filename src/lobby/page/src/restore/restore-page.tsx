/** Snapshots: what differs from now, what of it comes back, and what that costs. */

import { For, Show, createEffect, createMemo, createResource, createSignal, on, onCleanup } from "solid-js";
import { line, onlyWatches } from "../line";
import { go, restored } from "../route";
import { moment, text as common } from "../text-later";
import { type Snapshot, ofSnapshots, settled } from "./api";
import { Chosen } from "./chosen";
import { Memory } from "./memory";
import { text } from "./text";
import "./restore.css";

/** How often a restore that runs elsewhere is looked at, in milliseconds. */
const LOOK_AGAIN = 2000;

export function RestorePage() {
  const [list, { refetch }] = createResource(() => settled(ofSnapshots.list()));
  const [past, { refetch: lookBack }] = createResource(() => settled(ofSnapshots.past()));
  const [isBusy, setBusy] = createSignal(false);
  const again = (): void => {
    void refetch();
    void lookBack();
  };
  // What could not be asked for while the line was down is asked for when it is back.
  createEffect(on(line, (now) => now === "online" && (list.latest?.error || past.latest?.error) && again(), { defer: true }));
  const runsElsewhere = () => (list.latest?.value?.restoring ?? false) && !isBusy();
  createEffect(() => {
    if (!runsElsewhere()) return;
    const timer = setInterval(() => void refetch(), LOOK_AGAIN);
    onCleanup(() => clearInterval(timer));
  });
  const snapshots = () => list.latest?.value?.snapshots ?? [];
  const current = createMemo(() => snapshots().find((one) => one.id === restored()) ?? snapshots()[0]);
  return (
    <main class="list restore">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={common.back} title={common.back}>
          ‹
        </button>
        <h1>{common.restore}</h1>
      </header>
      <Show when={list.latest} fallback={<p class="empty">{common.loading}</p>}>
        <Show when={list.latest?.error}>
          {(error) => (
            <div class="empty">
              <p class="error" role="alert">
                {error()}
              </p>
              <button type="button" onClick={again}>
                {text.tryAgain}
              </button>
            </div>
          )}
        </Show>
        <Show when={runsElsewhere()}>
          <p role="status" class="running">
            {text.restoringHere}
          </p>
        </Show>
        <Show when={list.latest?.value && snapshots().length === 0}>
          <div class="empty">
            <p>{text.noSnapshots}</p>
            <p class="note">{text.noSnapshotsHint}</p>
          </div>
        </Show>
        <Show when={current()}>
          {(chosen) => (
            <div class="picker">
              <Timeline snapshots={snapshots()} current={chosen().id} />
              <Show when={chosen().id} keyed>
                {(id) => (
                  <Chosen
                    id={id}
                    title={moment(chosen().time)}
                    goings={past.latest?.value?.goings ?? []}
                    disabled={onlyWatches() || runsElsewhere()}
                    busy={setBusy}
                    changed={again}
                  />
                )}
              </Show>
            </div>
          )}
        </Show>
        <Show when={(list.latest?.value?.notes.length ?? 0) > 0}>
          <section aria-labelledby="damaged">
            <h2 id="damaged">{text.damaged}</h2>
            <ul class="notes">
              <For each={list.latest?.value?.notes}>
                {(note) => (
                  <li>
                    <bdi>{note}</bdi>
                  </li>
                )}
              </For>
            </ul>
          </section>
        </Show>
        <Show when={past.latest?.value}>{(past) => <Memory past={past()} />}</Show>
      </Show>
    </main>
  );
}

function Timeline(props: { snapshots: Snapshot[]; current: string }) {
  return (
    <nav aria-label={text.snapshots}>
      <ol class="timeline">
        <For each={props.snapshots}>
          {(one) => (
            <li>
              <button type="button" aria-current={one.id === props.current ? "true" : undefined} onClick={() => go(`/restore/${one.id}`)}>
                <time dateTime={new Date(one.time * 1000).toISOString()}>{moment(one.time)}</time>
                <span class="note">
                  {text.holds(one.sessions, one.panes)}
                  {one.newest ? `, ${text.newest}` : ""}
                  {one.before_boot ? `, ${text.beforeBoot}` : ""}
                </span>
              </button>
            </li>
          )}
        </For>
      </ol>
    </nav>
  );
}

/** The setting of how many agents are kept ready for new sessions. */

import { For, Show, createResource, createSignal } from "solid-js";
import { ask, get } from "../api";
import { text } from "./text";

const MAX = 3;

export function Spares() {
  const [error, setError] = createSignal("");
  const fails = (failed: unknown): void => void setError(failed instanceof Error ? failed.message : String(failed));
  const [count, { mutate, refetch }] = createResource<number>(() =>
    get<{ count: number }>("/api/spares")
      .then((known) => known.count)
      .catch((failed: unknown) => (fails(failed), 0)),
  );
  const set = async (wanted: number): Promise<void> => {
    setError("");
    mutate(wanted);
    await ask<void>("/api/spares", { count: wanted }).catch(fails);
    await refetch();
  };
  return (
    <section aria-labelledby="spares">
      <h2 id="spares">{text.spares}</h2>
      <p>{text.sparesHint}</p>
      <p>
        <label>
          {text.sparesCount}{" "}
          <select onChange={(event) => void set(Number(event.currentTarget.value))}>
            <For each={Array.from({ length: MAX + 1 }, (_, number) => number)}>
              {(number) => (
                <option value={number} selected={number === count()}>
                  {number === 0 ? text.sparesNone : number}
                </option>
              )}
            </For>
          </select>
        </label>
      </p>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
    </section>
  );
}

/** A part of the page that is loaded when it is shown: it says so, and tries again by itself when the line is back. */

import { type Component, Show, createEffect, createSignal, on } from "solid-js";
import { line } from "./line";
import { text } from "./text";

export function later<Props extends object>(load: () => Promise<Component<Props>>): Component<Props> {
  return (props) => {
    const [loaded, setLoaded] = createSignal<Component<Props>>();
    const [isFailed, setFailed] = createSignal(false);
    const begin = (): void => {
      setFailed(false);
      load().then(
        (part) => setLoaded(() => part),
        () => setFailed(true),
      );
    };
    begin();
    createEffect(on(line, (now) => now === "online" && isFailed() && begin(), { defer: true }));
    return (
      <Show
        when={loaded()}
        fallback={
          <main class="empty" aria-busy={!isFailed()}>
            <h1>{isFailed() ? text.notLoaded : text.loading}</h1>
            <Show when={isFailed()}>
              <button type="button" onClick={() => location.reload()}>
                {text.again}
              </button>{" "}
              <button type="button" onClick={() => history.back()}>
                {text.goBack}
              </button>
            </Show>
          </main>
        }
      >
        {(part) => part()(props)}
      </Show>
    );
  };
}

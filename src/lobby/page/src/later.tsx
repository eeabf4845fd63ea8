/** Parts of the page that are loaded when they are needed. What cannot be loaded is tried again when the line is back. */

import { type Component, Show, createEffect, createRoot, createSignal, on } from "solid-js";
import { line } from "./line";
import { text } from "./text";

/** How long until the next try if nothing is heard of the line, in milliseconds. */
const RETRY = 5000;

export type Later<Props extends object> = Component<Props> & { preload(): Promise<unknown> };

/** Loads something, again and again until it is there. */
export async function loaded<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load();
    } catch {
      await lineIsBack();
    }
  }
}

function lineIsBack(): Promise<void> {
  return new Promise((resolve) =>
    createRoot((end) => {
      const isBack = (): void => {
        clearTimeout(timer);
        end();
        resolve();
      };
      const timer = setTimeout(isBack, RETRY);
      createEffect(on(line, (now) => now === "online" && isBack(), { defer: true }));
    }),
  );
}

/** A page: while it cannot be loaded, it says so. */
export function later<Props extends object>(load: () => Promise<Component<Props>>): Later<Props> {
  return part(load, (isFailed) => (
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
  ));
}

/** A part of a page or a dialog: nothing is there until it is loaded. */
export function piece<Props extends object>(load: () => Promise<Component<Props>>): Later<Props> {
  return part(load, () => undefined);
}

function part<Props extends object>(
  load: () => Promise<Component<Props>>,
  fallback: (isFailed: () => boolean) => ReturnType<Component>,
): Later<Props> {
  let known: Component<Props> | undefined;
  let failures = 0;
  const [failed, setFailed] = createSignal(0);
  const tries = async (): Promise<Component<Props>> => {
    try {
      return (known ??= await load());
    } catch (error) {
      setFailed((failures += 1));
      throw error;
    }
  };
  const preload = (): Promise<Component<Props>> => loaded(tries);
  const component: Component<Props> = (props) => {
    const [own, setOwn] = createSignal<Component<Props> | undefined>(known);
    const before = failures;
    if (!known) void preload().then((is) => setOwn(() => is));
    return (
      <Show when={own()} fallback={fallback(() => failed() > before)}>
        {(is) => is()(props)}
      </Show>
    );
  };
  return Object.assign(component, { preload });
}

/** Chooses a file below a session's directory. */

import { For, Show, createResource, createSignal, onCleanup, onMount } from "solid-js";
import { focusBack } from "../focus";
import { bytes, moment, text as common } from "../text-later";
import { type Entry, addressOf, download, list, open } from "./fetching";
import { text } from "./text";

export function Chooser(props: { id: string; close(): void }) {
  let element!: HTMLDialogElement;
  const [parts, setParts] = createSignal<string[]>([]);
  const [path, setPath] = createSignal("");
  const [error, setError] = createSignal("");
  const [image, setImage] = createSignal<{ name: string; address: string }>();
  const [listed] = createResource(parts, async (at) => {
    try {
      return await list(props.id, at.join("/"));
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
      return undefined;
    }
  });
  const attempt = async (done: Promise<unknown>): Promise<void> => {
    setError("");
    await done.catch((failed: Error) => setError(failed.message));
  };
  const go = (to: string[]): void => {
    setError("");
    setImage(undefined);
    setParts(to);
  };
  const pathOf = (entry: Entry): string => [...parts(), entry.name].join("/");
  const show = async (entry: Entry): Promise<void> => {
    const file = await open(props.id, pathOf(entry));
    setImage({ name: file.name, address: addressOf(file) });
  };
  const back = focusBack();
  onMount(() => element.showModal());
  onCleanup(back);
  return (
    <dialog class="chooser" ref={element} aria-labelledby="chooser-title" onClose={() => props.close()}>
      <h2 id="chooser-title">{text.download}</h2>
      <p class="note">
        {text.below} <bdi dir="ltr">{listed()?.directory ?? ""}</bdi>
      </p>
      <Show when={error()}>
        <p class="error" role="alert">
          <bdi>{error()}</bdi>
        </p>
      </Show>
      <Show when={image()}>{(shown) => <img src={shown().address} alt={text.image(shown().name)} />}</Show>
      <ul tabindex="0" aria-label={listed()?.directory ?? text.files} aria-busy={listed.loading}>
        <Show when={parts().length > 0}>
          <li>
            <button type="button" class="quiet" onClick={() => go(parts().slice(0, -1))}>
              {text.up}
            </button>
          </li>
        </Show>
        <For each={listed()?.entries ?? []} fallback={<li class="note">{listed.loading ? text.loading : text.empty}</li>}>
          {(entry) => (
            <li>
              <bdi class="file-name">
                {entry.shown}
                {entry.directory ? "/" : ""}
              </bdi>
              <Show
                when={!entry.directory}
                fallback={
                  <button type="button" onClick={() => go([...parts(), entry.name])}>
                    {text.openDirectory}
                    <span class="spoken"> {entry.shown}</span>
                  </button>
                }
              >
                <span class="note" title={moment(entry.changed)}>
                  {bytes(entry.size)}
                </span>
                <Show when={entry.image}>
                  <button type="button" class="quiet" onClick={() => attempt(show(entry))}>
                    {text.show}
                    <span class="spoken"> {entry.shown}</span>
                  </button>
                </Show>
                <button type="button" onClick={() => attempt(download(props.id, pathOf(entry)))}>
                  {text.get}
                  <span class="spoken"> {entry.shown}</span>
                </button>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={(listed()?.further ?? 0) > 0}>
        <p class="note">{text.further(listed()?.further ?? 0)}</p>
      </Show>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (path()) void attempt(download(props.id, path()));
        }}
      >
        <label>
          {text.path}
          <input dir="ltr" placeholder={text.pathHint} value={path()} onInput={(event) => setPath(event.currentTarget.value)} />
        </label>
        <button type="submit" disabled={!path()}>
          {text.get}
        </button>
        <button type="button" onClick={() => props.close()}>
          {common.close}
        </button>
      </form>
    </dialog>
  );
}

/** What is common to dialogs. */

import { type JSX, Show, createSignal, onCleanup, onMount } from "solid-js";
import { focusBack } from "./focus";
import { text } from "./text-later";

interface DialogProps {
  title: string;
  act: string;
  close(): void;
  /** What is done on Enter; the dialog closes when it is done, unless that gives `false`. */
  submit(): Promise<unknown>;
  disabled?: boolean;
  /** Said while it is done. */
  busy?: string;
  children: JSX.Element;
}

export function Dialog(props: DialogProps) {
  let element!: HTMLDialogElement;
  const [error, setError] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  onCleanup(focusBack());
  onMount(() => element.showModal());
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      if ((await props.submit()) !== false) props.close();
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
    setBusy(false);
  };
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={() => props.close()}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">{props.title}</h2>
        {props.children}
        <Show when={isBusy() && props.busy}>
          <p role="status">{props.busy}</p>
        </Show>
        <Show when={error()}>
          <p class="error" role="alert">
            {error()}
          </p>
        </Show>
        <div class="row">
          <button type="button" onClick={() => props.close()}>
            {text.cancel}
          </button>
          <button type="submit" class="main" disabled={isBusy() || props.disabled}>
            {props.act}
          </button>
        </div>
      </form>
    </dialog>
  );
}

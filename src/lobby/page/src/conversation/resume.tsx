/** Goes on with a past conversation in a new session. */

import { Show, createSignal } from "solid-js";
import { api } from "../api";
import { onlyWatches } from "../line";
import { go } from "../route";
import { text } from "./text";

export function Resume(props: { agent: string; id: string; name: string }) {
  const [isBusy, setBusy] = createSignal(false);
  const [error, setError] = createSignal("");
  const resume = async (): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      const { id } = await api.resumePast(props.agent, props.id);
      go(`/session/${id}`);
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
    setBusy(false);
  };
  return (
    <Show when={!onlyWatches()}>
      <Show when={error()}>
        <span class="error" role="alert">
          {error()}
        </span>
      </Show>
      <button type="button" disabled={isBusy()} onClick={resume}>
        {isBusy() ? text.resuming : text.resume}
        <span class="spoken"> {props.name}</span>
      </button>
    </Show>
  );
}

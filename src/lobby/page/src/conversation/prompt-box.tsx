/** Sends a prompt to a session's agent, if that waits for one. */

import { Show, createSignal } from "solid-js";
import { api } from "../api";
import { sharedBy } from "../base";
import { isOwn, line } from "../line";
import { Files } from "../files/files";
import { find } from "../sessions";
import { states } from "../text";
import { text } from "../text-later";

export function PromptBox(props: { id: string }) {
  const [words, setWords] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  const [error, setError] = createSignal("");
  const state = () => find(props.id)?.state;
  const takes = () => line() === "online" && (state() === "idle" || state() === "unknown");
  const held = () => find(props.id)?.held;
  /** Whether a prompt is held until the agent takes it. */
  const holds = () => line() === "online" && !sharedBy && !held() && (state() === "working" || state() === "waiting");
  const [form, setForm] = createSignal<HTMLFormElement>();
  const send = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    if (!words().trim() || isBusy() || !(takes() || holds())) return;
    await attempt(async () => {
      const { taken, held } = await api.prompt(props.id, words());
      setWords("");
      if (!taken && !held) setError(text.promptNotSeen);
    });
  };
  const takeBack = (): Promise<void> =>
    attempt(async () => {
      const { text } = await api.takeBack(props.id);
      setWords((now) => (now.trim() ? `${text}\n${now}` : text));
    });
  const attempt = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      await act();
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
    setBusy(false);
  };
  return (
    <form class="prompt-box" ref={setForm} onSubmit={send}>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={held()}>
        {(held) => (
          <div class="held" role="status">
            <p>
              {text.promptHeld} <bdi>{held().text}</bdi>
              <Show when={held().trouble}>
                {" "}
                <bdi class="error">{held().trouble}</bdi>
              </Show>
            </p>
            <button type="button" class="quiet" disabled={isBusy()} onClick={() => void takeBack()}>
              {text.takeBack}
            </button>
          </div>
        )}
      </Show>
      <textarea
        rows={2}
        dir="auto"
        aria-label={text.promptLabel}
        placeholder={line() !== "online" ? text.offlineNow : takes() ? text.promptHere : holds() ? text.promptLater : text.promptNotNow(states[state() ?? "unknown"])}
        value={words()}
        onInput={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) void send(event);
        }}
      />
      <Show when={isOwn() && form()}>
        {(target) => <Files id={props.id} target={target()} insert={(path) => setWords(words() && !/\s$/.test(words()) ? `${words()} ${path}` : words() + path)} />}
      </Show>
      <button type="submit" class="main" disabled={isBusy() || !(takes() || holds()) || !words().trim()}>
        {isBusy() ? text.sending : holds() ? text.hold : text.send}
      </button>
    </form>
  );
}

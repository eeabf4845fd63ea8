/** What is to be done, and Enter: a session with an agent that does it. Directory, agent and model are those chosen last. */

import { For, Show, createMemo, createResource, createSignal, onMount } from "solid-js";
import { type Recent, api } from "../api";
import { go } from "../route";
import { announce, sessions } from "../sessions";
import { show } from "../shown";
import "./new-session.css";
import { text } from "./text";

/** How many directories are offered. */
const MAX_DIRECTORIES = 30;

const NOTHING: Recent = { directories: [], agents: [], models: {} };

/** Kept while the person goes elsewhere on the page. */
const [draft, setDraft] = createSignal("");

export function PromptFirst() {
  let input!: HTMLTextAreaElement;
  const [recent, { refetch }] = createResource(() => api.recent().catch(() => NOTHING));
  const [installed] = createResource(() => api.agents().catch(() => []));
  const [directory, setDirectory] = createSignal<string>();
  const [agent, setAgent] = createSignal<string>();
  const [model, setModel] = createSignal<string>();
  const [isBusy, setBusy] = createSignal(false);
  const [error, setError] = createSignal("");
  // What is read here is there, or empty: the input does not wait for it.
  const last = (): Recent => recent.latest ?? NOTHING;
  const unique = (all: (string | undefined)[]): string[] => [...new Set(all.filter((one) => one !== undefined))];
  const directories = createMemo(() =>
    unique([...last().directories, "~", ...sessions().map((session) => session.directory)]).slice(0, MAX_DIRECTORIES),
  );
  const agents = createMemo(() => unique([...(installed.latest ?? []), ...sessions().map((session) => (session.live ? session.agent : undefined))]));
  const chosenDirectory = (): string => directory() ?? directories()[0] ?? "~";
  const chosenAgent = (): string => agent() ?? last().agents.find((name) => agents().includes(name)) ?? agents()[0] ?? "";
  const models = (): string[] => {
    const seen = sessions().filter((session) => session.agent === chosenAgent()).map((session) => session.model);
    return unique([...(last().models[chosenAgent()] ?? []), "", model(), ...seen]);
  };
  const chosenModel = (): string => model() ?? last().models[chosenAgent()]?.[0] ?? "";
  const grow = (): void => {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight + 2, 240)}px`;
  };
  onMount(grow);
  const start = async (opens: boolean): Promise<void> => {
    const prompt = draft().trim();
    if (!prompt || isBusy() || !chosenAgent()) return;
    setBusy(true);
    setError("");
    try {
      const made = await api.create({
        directory: chosenDirectory(),
        agent: chosenAgent(),
        prompt,
        ...(chosenModel() && { model: chosenModel() }),
      });
      performance.mark("lobby:accepted");
      setDraft("");
      queueMicrotask(grow);
      announce(text.started(prompt.split("\n")[0] ?? ""));
      if (opens) go(`/session/${made.id}`);
      else void refetch();
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
    setBusy(false);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    performance.mark("lobby:asked", { startTime: event.timeStamp });
    void start(event.ctrlKey || event.metaKey);
  };
  const chooseModel = (chosen: string): void => {
    if (chosen !== "other") setModel(chosen);
    else setModel(window.prompt(text.otherModelPrompt)?.trim() || chosenModel());
  };
  return (
    <form
      class="prompt-first"
      onSubmit={(event) => {
        event.preventDefault();
        void start(false);
      }}
    >
      <textarea
        ref={input}
        rows={1}
        aria-label={text.what}
        aria-describedby="prompt-first-hint"
        placeholder={text.what}
        value={draft()}
        maxlength={12000}
        onInput={(event) => {
          setDraft(event.currentTarget.value);
          grow();
        }}
        onKeyDown={press}
      />
      <Show when={draft().trim()}>
        <button type="submit" class="main" disabled={isBusy() || !chosenAgent()}>
          {text.start}
        </button>
      </Show>
      <div class="chips">
        <select aria-label={text.directory} value={chosenDirectory()} onChange={(event) => setDirectory(event.currentTarget.value)}>
          <For each={directories()}>{(name) => <option value={name} selected={name === chosenDirectory()}>{name}</option>}</For>
        </select>
        <Show when={agents().length > 0} fallback={<Show when={!installed.loading}><span class="note">{text.noAgents}</span></Show>}>
          <select
            aria-label={text.agent}
            onChange={(event) => {
              setAgent(event.currentTarget.value);
              setModel(undefined);
            }}
          >
            <For each={agents()}>{(name) => <option value={name} selected={name === chosenAgent()}>{name}</option>}</For>
          </select>
          <select aria-label={text.model} onChange={(event) => chooseModel(event.currentTarget.value)}>
            <For each={models()}>{(name) => <option value={name} selected={name === chosenModel()}>{name || text.ownModel}</option>}</For>
            <option value="other">{text.otherModel}</option>
          </select>
        </Show>
        <button type="button" class="quiet" onClick={() => show({ kind: "new" })}>
          {text.all}
        </button>
        <span class="note" id="prompt-first-hint">
          {isBusy() ? text.starting : text.hint}
        </span>
      </div>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
    </form>
  );
}

/** What is asked before something is done. */

import { For, Show, createMemo, createResource, createSignal } from "solid-js";
import { api } from "./api";
import { Dialog } from "./dialog";
import { me } from "./line";
import { go } from "./route";
import { type Session, sessions } from "./sessions";
import { change, settings } from "./settings";
import { text } from "./text-later";

/** How many recent directories are offered. */
const MAX_RECENT = 20;

export function RenameDialog(props: { session: Session; close(): void }) {
  const [name, setName] = createSignal(props.session.name);
  return (
    <Dialog
      title={text.rename}
      act={text.rename}
      close={props.close}
      submit={() => api.rename(props.session.id, name())}
    >
      <label>
        {text.name}
        <input dir="auto" value={name()} onInput={(event) => setName(event.currentTarget.value)} maxlength={64} required />
      </label>
    </Dialog>
  );
}

export function NewSessionDialog(props: { close(): void }) {
  const [directory, setDirectory] = createSignal("~");
  const [chosen, setChosen] = createSignal<string>();
  const [prompt, setPrompt] = createSignal("");
  const [installed] = createResource(() => api.agents().catch(() => []));
  const agents = createMemo(() => {
    const seen = sessions().flatMap((session) => (session.live && session.agent ? [session.agent] : []));
    return [...new Set([...(installed() ?? []), ...seen])];
  });
  const agent = (): string => chosen() ?? [settings().agent, ...agents()].find((name) => agents().includes(name)) ?? "";
  const recent = createMemo(() => [...new Set(sessions().map((session) => session.directory))].slice(0, MAX_RECENT));
  const create = async (): Promise<void> => {
    const made = await api.create({
      directory: directory(),
      ...(agent() && { agent: agent() }),
      ...(agent() && prompt() && { prompt: prompt() }),
    });
    change({ agent: agent() });
    go(`/session/${made.id}`);
  };
  return (
    <Dialog title={text.newSession} act={text.create} close={props.close} submit={create} busy={text.creating}>
      <label>
        {text.prompt}
        <textarea
          rows={3}
          value={prompt()}
          placeholder={text.promptHint}
          disabled={!agent()}
          onInput={(event) => setPrompt(event.currentTarget.value)}
        />
      </label>
      <label>
        {text.directory}
        <input
          value={directory()}
          onInput={(event) => setDirectory(event.currentTarget.value)}
          list="recent-directories"
          autocomplete="off"
          required
        />
      </label>
      <datalist id="recent-directories">
        <For each={recent()}>{(name) => <option value={name} />}</For>
      </datalist>
      <label>
        {text.agent}
        <select value={agent()} onChange={(event) => setChosen(event.currentTarget.value)}>
          <For each={agents()}>{(name) => <option value={name} selected={name === agent()}>{name}</option>}</For>
          <option value="" selected={agent() === ""}>
            {text.shell}
          </option>
        </select>
      </label>
      <Show when={!installed.loading && agents().length === 0}>
        <p class="note">{text.noAgents}</p>
      </Show>
    </Dialog>
  );
}

/** Where an admin looks at another user's lobby. */
export function LookAtDialog(props: { close(): void }) {
  const users = (): string[] => (me()?.users ?? []).filter((user) => user !== me()?.user);
  const [user, setUser] = createSignal(users()[0] ?? "");
  const look = async (): Promise<void> => location.assign(`/as/${encodeURIComponent(user())}/`);
  return (
    <Dialog title={text.lookAt} act={text.look} close={props.close} submit={look} disabled={!user()}>
      <p class="note">{text.lookAtHint}</p>
      <label>
        {text.name}
        <select value={user()} onChange={(event) => setUser(event.currentTarget.value)}>
          <For each={users()}>{(name) => <option value={name}>{name}</option>}</For>
        </select>
      </label>
    </Dialog>
  );
}

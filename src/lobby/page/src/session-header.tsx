/** What stands above a session, whatever is shown of it: the way back, its name, its state and its title. */

import { type JSX, Show } from "solid-js";
import { go } from "./route";
import "./session.css";
import { piece } from "./later";
import { find, people } from "./sessions";
import { states } from "./text";
import { text } from "./text-later";

const AtSession = piece(() => import("./share/at-session").then((loaded) => loaded.AtSession));

export function SessionHeader(props: { id: string; children: JSX.Element }) {
  const session = () => find(props.id);
  return (
    <header>
      <button type="button" class="quiet" onClick={() => go("/")} aria-label={text.back} title={`${text.back} (Ctrl-Shift-K)`}>
        ‹
      </button>
      <h1>
        <bdi>{session()?.name ?? text.title}</bdi>
      </h1>
      <Show when={session()}>
        {(known) => (
          <span class="state" data-state={known().state}>
            {states[known().state]}
          </span>
        )}
      </Show>
      <span class="title">
        <bdi>{session()?.title ?? ""}</bdi>
      </span>
      <Show when={people()[props.id]}>
        <AtSession id={props.id} />
      </Show>
      {props.children}
    </header>
  );
}

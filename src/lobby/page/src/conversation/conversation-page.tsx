/** One session's conversation as text. */

import { Show } from "solid-js";
import { sessionUrl } from "../base";
import { onlyWatches } from "../line";
import { go, placeIn } from "../route";
import { SessionHeader } from "../session-header";
import { find, grants } from "../sessions";
import { states, text } from "../text-later";
import { PromptBox } from "./prompt-box";
import { read } from "./reading";
import { Scroller } from "./scroller";

export function ConversationPage(props: { id: string }) {
  const reading = read(async () => sessionUrl("/api/conversation", props.id), { type: "hello", session: props.id }, placeIn());
  const session = () => find(props.id);
  return (
    <main class="session">
      <SessionHeader id={props.id}>
        <Show when={session()?.live}>
          <button type="button" onClick={() => go(`/session/${props.id}`)}>
            {text.asTerminal}
          </button>
        </Show>
      </SessionHeader>
      <Scroller reading={reading} />
      <Show when={session()?.live && session()?.state === "waiting"}>
        <div class="ask" role="status">
          <p>
            {states.waiting}
            <Show when={session()?.waiting_for}>
              : <bdi>{session()?.waiting_for}</bdi>
            </Show>
          </p>
          <button type="button" class="main" onClick={() => go(`/session/${props.id}`)}>
            {text.answerThere}
          </button>
        </div>
      </Show>
      <Show when={session()?.live && session()?.agent && (!onlyWatches() || grants()[props.id]?.drive)}>
        <PromptBox id={props.id} />
      </Show>
    </main>
  );
}

/** A conversation that need not be in any session: it is only read. */

import { Show } from "solid-js";
import { socketUrl } from "../base";
import { go, placeIn } from "../route";
import { read } from "./reading";
import { Resume } from "./resume";
import { Scroller } from "./scroller";
import { text } from "./text";

export function PastPage(props: { agent: string; id: string }) {
  const [agent, id] = [decodeURIComponent(props.agent), decodeURIComponent(props.id)];
  const reading = read(async () => socketUrl("/api/conversation"), { type: "past", agent, id }, placeIn());
  const about = () => reading.about();
  const back = (): void => (history.length > 1 ? history.back() : go("/search"));
  return (
    <main class="session">
      <header>
        <button type="button" class="quiet" onClick={back} aria-label={text.back}>
          ‹
        </button>
        <h1>
          <bdi>{about()?.title || text.untitled}</bdi>
        </h1>
        <span class="title">
          {text.past} · <bdi>{agent}</bdi> · <bdi dir="ltr">{about()?.directory ?? ""}</bdi>
        </span>
        <Show when={about()?.session} fallback={<Show when={about()}>{(known) => <Resume agent={agent} id={id} name={known().title} />}</Show>}>
          {(session) => (
            <button type="button" onClick={() => go(`/session/${session()}`)}>
              {text.toSession}
            </button>
          )}
        </Show>
      </header>
      <Scroller reading={reading} />
    </main>
  );
}

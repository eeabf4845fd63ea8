/** The conversation of a link, and nothing else. The link's secret is in the fragment, and is sent in a body alone. */

import { Show, onCleanup, onMount } from "solid-js";
import { Messages } from "../conversation/messages";
import { read } from "../conversation/reading";
import { noConversation, text as common } from "../text-later";
import { asked } from "./asked";
import { text } from "./text";
import "../conversation/conversation.css";
import "../session.css";

/** Where the secret is kept until this tab is closed, so that it can be reloaded and one can log in. */
const KEY = "lobby:link";

function secret(): string {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

export function LinkPage() {
  let top!: HTMLDivElement;
  const own = secret();
  const reading = read(async () => {
    if (!own) throw new Error(text.noSecret);
    const { ticket } = await asked.open(own);
    return `${location.origin.replace(/^http/, "ws")}/api/link/${ticket}`;
  }, { type: "hello", session: "" });
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) reading.earlier();
  });
  onMount(() => observer.observe(top));
  onCleanup(() => {
    observer.disconnect();
    reading.close();
  });
  return (
    <main class="session">
      <header>
        <h1>{text.link}</h1>
        <span class="title">{text.linkReadOnly}</span>
      </header>
      <div class="conversation" tabindex="0">
        <div ref={top}>
          <Show when={reading.hasEarlier()}>
            <button type="button" class="quiet" onClick={() => reading.earlier()}>
              {common.earlier}
            </button>
          </Show>
        </div>
        <Messages reading={reading} />
        <Show when={reading.why()}>
          <div class="empty" role="alert">
            <p>{noConversation[reading.why()] ?? reading.why()}</p>
            <Show when={!noConversation[reading.why()]}>
              <a class="button" href="/">
                {common.logIn}
              </a>
            </Show>
          </div>
        </Show>
      </div>
    </main>
  );
}

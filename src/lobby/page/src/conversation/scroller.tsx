/** What was said, as it is scrolled: more is fetched near both ends, and followed at the very end. */

import { Show, createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import { line } from "../line";
import { noConversation, text } from "../text-later";
import { Messages } from "./messages";
import type { Reading } from "./reading";
import { text as own } from "./text";
import "./conversation.css";

/** Nearer to the end than this, in pixels, what is said later is followed. */
const NEAR = 80;
/** More is fetched so far before it is seen, in pixels. */
const AHEAD = 800;

export function Scroller(props: { reading: Reading }) {
  let scroller!: HTMLDivElement;
  let top!: HTMLDivElement;
  let bottom!: HTMLDivElement;
  const reading = props.reading;
  const [isAtEnd, setAtEnd] = createSignal(true);
  const toEnd = (): void => void (scroller.scrollTop = scroller.scrollHeight);
  // Where what came before is shown the browser keeps the place (overflow-anchor).
  let observer: IntersectionObserver | undefined;
  const observe = (): void => {
    for (const end of [top, bottom]) {
      observer?.unobserve(end);
      observer?.observe(end);
    }
  };
  const seen = (entries: IntersectionObserverEntry[]): void => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      if (target === top) reading.earlier();
      else reading.next();
    }
  };
  /** Shows the place that was sought; whether it is there. */
  const toPlace = (): boolean => {
    const at = reading.sought();
    const found = at === undefined ? undefined : scroller.querySelector<HTMLElement>(`[data-at="${at}"]`);
    if (!found) return false;
    setAtEnd(false);
    found.classList.add("sought");
    found.scrollIntoView({ block: "center" });
    return true;
  };
  createEffect(
    on(
      () => [reading.messages(), reading.hasLater()] as const,
      ([messages, hasLater]) => {
        // What is new moves the end away before it is drawn.
        const follows = isAtEnd() && !hasLater;
        requestAnimationFrame(() => {
          if (messages.length > 0 && reading.sought() !== undefined) {
            toPlace();
            reading.isThere();
          } else if (follows) {
            setAtEnd(true);
            toEnd();
          }
          requestAnimationFrame(observe);
        });
      },
    ),
  );
  onMount(() => {
    observer = new IntersectionObserver(seen, { root: scroller, rootMargin: `${AHEAD}px 0px` });
  });
  onCleanup(() => {
    observer?.disconnect();
    reading.close();
  });
  const last = (): void => {
    setAtEnd(true);
    if (reading.hasLater()) reading.newest();
    else toEnd();
  };
  return (
    <>
      <div
        class="conversation"
        ref={scroller}
        tabindex="0"
        role="region"
        aria-label={text.conversation}
        onScroll={() => setAtEnd(!reading.hasLater() && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR)}
      >
        <div ref={top}>
          <Show when={reading.hasEarlier()}>
            <button type="button" class="quiet" onClick={() => reading.earlier()}>
              {text.earlier}
            </button>
          </Show>
        </div>
        <Show when={reading.messages().length === 0 && !reading.why()}>
          <p class="empty">{reading.connected() || line() === "online" ? text.loading : text.offlineBadge}</p>
        </Show>
        <Messages reading={reading} />
        <div ref={bottom}>
          <Show when={reading.hasLater()}>
            <button type="button" class="quiet" onClick={() => reading.next()}>
              {own.later}
            </button>
          </Show>
        </div>
        <Show when={reading.why()}>
          <p class="empty">{noConversation[reading.why()] ?? noConversation["failed"]}</p>
        </Show>
      </div>
      <Show when={!isAtEnd()}>
        <button type="button" class="to-end" onClick={last}>
          {text.toEnd}
        </button>
      </Show>
    </>
  );
}

/** The sheet: a section for each kind of component. */

import { For, type JSX } from "solid-js";
import { Messages } from "../conversation/messages";
import type { Reading } from "../conversation/reading";
import { Differences } from "../restore/differences";
import { Memory } from "../restore/memory";
import { Offers, offers } from "../restore/plan";
import { Row } from "../row";
import { lines, text } from "../text";
import { DONE, MESSAGES, NOW, PAST, PLAN, SESSIONS } from "./samples";
import "../conversation/conversation.css";
import "../restore/restore.css";
import "../session.css";

function Section(props: { title: string; wide?: boolean; children: JSX.Element }) {
  return (
    <section class={props.wide ? "wide" : ""} aria-label={props.title}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

const nothing = (): void => undefined;

const reading: Reading = {
  session: undefined,
  messages: () => MESSAGES,
  agent: () => "claude",
  about: () => undefined,
  why: () => "",
  connected: () => true,
  hasEarlier: () => false,
  earlier: nothing,
  hasLater: () => false,
  next: nothing,
  newest: nothing,
  sought: () => undefined,
  isThere: nothing,
  unfold: () => new Promise(() => undefined),
  close: nothing,
};

export function Sheet() {
  return (
    <main class="sheet">
      <h1>Components</h1>
      <Section title="Buttons and fields">
        <div class="line-up">
          <button type="button" class="main">
            Main
          </button>
          <button type="button">Plain</button>
          <button type="button" class="quiet">
            Quiet
          </button>
          <button type="button" class="quiet" aria-pressed="true">
            On
          </button>
          <button type="button" class="main" disabled>
            Not now
          </button>
        </div>
        <div class="line-up">
          <input type="search" placeholder="Search" aria-label="Search" />
          <select aria-label="Agent">
            <option>claude</option>
          </select>
          <label class="check">
            <input type="checkbox" checked /> On
          </label>
          <label class="check">
            <input type="checkbox" /> Off
          </label>
        </div>
        <textarea rows={2} aria-label="Prompt" placeholder="Prompt" />
        <p class="error">An error: what failed, and why.</p>
        <p class="note">A note beside it.</p>
      </Section>
      <Section title="What is wrong with the line">
        <For each={Object.values(lines)}>
          {(line) => (
            <p class="badge">
              <strong>{line.what}</strong> {line.advice}
            </p>
          )}
        </For>
      </Section>
      <Section title="Sessions, in every state" wide>
        <div class="list">
          <section>
            <ul>
              <For each={SESSIONS}>{(session) => <Row session={session} now={NOW} ask={nothing} tell={nothing} />}</For>
            </ul>
          </section>
        </div>
      </Section>
      <Section title="Empty, loading, nothing found, not connected, not loaded">
        <div class="empty">
          <p>{text.empty}</p>
          <p class="note">{text.emptyHint}</p>
        </div>
        <p class="empty">{text.loading}</p>
        <p class="empty">{text.noneFound}</p>
        <p class="empty">{text.offlineBadge}</p>
        <div class="empty">
          <p>{text.notLoaded}</p>
          <button type="button">{text.again}</button>
        </div>
      </Section>
      <Section title="Not logged in">
        <div class="framed">
          <div class="notice">
            <h3>{text.title}</h3>
            <p>{lines["logged out"].what}</p>
            <p>{text.linkAdvice}</p>
          </div>
        </div>
      </Section>
      <Section title="A conversation" wide>
        <Messages reading={reading} />
      </Section>
      <Section title="What comes back">
        <div class="restore">
          <Offers label="Plan" offers={offers(PLAN)} isTicked={(offer) => offer.isSelected} tick={nothing} done={undefined} />
          <Differences plan={PLAN} />
        </div>
      </Section>
      <Section title="What came back">
        <div class="restore">
          <Offers label="Results" offers={offers(DONE)} isTicked={(offer) => offer.isSelected} tick={nothing} disabled done={DONE} />
          <Memory past={PAST} />
        </div>
      </Section>
      <Section title="Above and below a terminal" wide>
        <div class="session">
          <header>
            <button type="button" class="quiet" aria-label="Back">
              ‹
            </button>
            <h3>checkout</h3>
            <span class="state" data-state="waiting">
              waiting for you
            </span>
            <span class="title">Keep the query through the login</span>
            <span class="line">3 keys are held until the line is back</span>
            <button type="button" class="main">
              Take over
            </button>
          </header>
          <div class="ask">
            <p>A program in this session wants to put 2 KiB into your clipboard.</p>
            <button type="button" class="main">
              Allow for this session
            </button>
            <button type="button">Refuse</button>
          </div>
          <p class="starting">Nothing was printed yet…</p>
          <div class="over">
            <p>The session has ended.</p>
            <button type="button">Back to the list</button>
          </div>
          <div class="keys">
            <For each={["Ctrl", "Esc", "Tab", "←", "↓", "↑", "→"]}>{(key) => <button type="button">{key}</button>}</For>
          </div>
        </div>
      </Section>
    </main>
  );
}

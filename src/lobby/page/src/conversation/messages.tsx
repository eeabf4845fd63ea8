/** What was said, one message after the other; the work of tools is folded. */

import { For, Match, Show, Switch, createMemo, createSignal } from "solid-js";
import { NamedImages } from "../files/named-images";
import { isOwn } from "../line";
import { text } from "../text-later";
import { Markdown } from "./markdown";
import type { Message, Payload, Reading } from "./reading";

type Of<Type extends Message["type"]> = Extract<Message, { type: Type }>;

export function Messages(props: { reading: Reading }) {
  const results = createMemo(() => {
    const found = new Map<string, Of<"result">>();
    for (const message of props.reading.messages()) if (message.type === "result") found.set(message.id, message);
    return found;
  });
  const calls = createMemo(
    () => new Set(props.reading.messages().flatMap((message) => (message.type === "call" ? [message.id] : []))),
  );
  // A result is shown with its call, if that is there.
  const shown = () =>
    props.reading.messages().filter((message) => message.type !== "result" || !calls().has(message.id));
  return (
    <ol class="messages" aria-label={text.conversation}>
      <For each={shown()}>
        {(message) => (
          <li data-type={message.type} data-at={message.at}>
            <One message={message} result={message.type === "call" ? results().get(message.id) : undefined} reading={props.reading} />
          </li>
        )}
      </For>
    </ol>
  );
}

function One(props: { message: Message; result: Of<"result"> | undefined; reading: Reading }) {
  const as = <Type extends Message["type"]>(type: Type): Of<Type> | undefined =>
    props.message.type === type ? (props.message as Of<Type>) : undefined;
  return (
    <Switch>
      <Match when={as("prompt")}>{(prompt) => <Prompt message={prompt()} reading={props.reading} />}</Match>
      <Match when={as("answer")}>
        {(answer) => (
          <article class="answer" aria-label={props.reading.agent()}>
            <h2 class="spoken">{props.reading.agent()}</h2>
            <Markdown text={answer().text} />
            <Named text={answer().text} reading={props.reading} />
          </article>
        )}
      </Match>
      <Match when={as("thought")}>
        {(thought) => (
          <details class="folded">
            <summary>{text.thought}</summary>
            <Markdown text={thought().text} />
          </details>
        )}
      </Match>
      <Match when={as("call")}>
        {(call) => (
          <Folded
            parts={props.result ? [call(), props.result] : [call()]}
            tool={call().tool}
            summary={call().summary}
            state={props.result ? (props.result.failed ? text.failed : "") : text.running}
            reading={props.reading}
          />
        )}
      </Match>
      <Match when={as("result")}>
        {(result) => (
          <Folded
            parts={[result()]}
            tool={text.toolResult}
            summary={result().summary}
            state={result().failed ? text.failed : ""}
            reading={props.reading}
          />
        )}
      </Match>
      <Match when={as("note")}>{(note) => <p class="event">{note().text}</p>}</Match>
    </Switch>
  );
}

/** Images that a text names; what is in no session has no directory for them, and others than the user get none. */
function Named(props: { text: string; reading: Reading }) {
  return <Show when={isOwn() && props.reading.session}>{(session) => <NamedImages text={props.text} session={session()} />}</Show>;
}

function Prompt(props: { message: Of<"prompt">; reading: Reading }) {
  const [payload, setPayload] = createSignal<Payload>();
  const show = async (): Promise<void> => void setPayload(await props.reading.unfold(props.message));
  return (
    <article class="prompt" aria-label={text.you}>
      <h2 class="spoken">{text.you}</h2>
      <p dir="auto">{props.message.text}</p>
      <Named text={props.message.text} reading={props.reading} />
      <Show when={props.message.images > 0}>
        <Show
          when={payload()}
          fallback={
            <button type="button" class="quiet" onClick={show}>
              {text.showImages(props.message.images)}
            </button>
          }
        >
          {(known) => <Images payload={known()} />}
        </Show>
      </Show>
    </article>
  );
}

/** Only images that a browser shows without running anything in them. */
const isImage = (type: string): boolean => /^image\/(png|jpeg|gif|webp)$/.test(type);

function Images(props: { payload: Payload }) {
  return (
    <For each={props.payload.images.filter((image) => isImage(image.media_type))}>
      {(image) => <img src={`data:${image.media_type};base64,${image.data}`} alt={text.image} />}
    </For>
  );
}

interface FoldedProps {
  parts: Message[];
  tool: string;
  summary: string;
  state: string;
  reading: Reading;
}

/** A tool's work: what it was given and what it gave is asked for when it is unfolded. */
function Folded(props: FoldedProps) {
  const [isOpen, setOpen] = createSignal(false);
  return (
    <details class="folded" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{props.tool}</strong> <span class="summary">{props.summary}</span>{" "}
        <Show when={props.state}>
          <span class="note">{props.state}</span>
        </Show>
      </summary>
      <Show when={isOpen()}>
        <For each={props.parts}>{(part) => <Part message={part} reading={props.reading} />}</For>
      </Show>
    </details>
  );
}

function Part(props: { message: Message; reading: Reading }) {
  const [payload, setPayload] = createSignal<Payload>();
  void props.reading.unfold(props.message).then(setPayload);
  return (
    <Show when={payload()} fallback={<p class="note">{text.loading}</p>}>
      {(known) => (
        <>
          <Show when={known().text}>
            <pre tabindex="0">{known().text}</pre>
          </Show>
          <Images payload={known()} />
        </>
      )}
    </Show>
  );
}

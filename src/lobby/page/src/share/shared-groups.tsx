/** What others share with this person: a group for each of them, which follows that person's own list. */

import { For, Show, createSignal, onCleanup } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { Grant, Session } from "../sessions";
import { ago, states } from "../text";
import { text } from "./text";
import "./share.css";

/** How long to wait before the next try, in milliseconds: the last one stays. */
const RETRIES = [500, 2000, 5000, 15000];
/** No more people than this are followed at once. */
const MAX_OWNERS = 20;

type Message =
  | { type: "list"; sessions: Session[] }
  | { type: "changes"; changed: Session[]; gone: string[]; order: string[] }
  | { type: "shared"; sessions: Record<string, Grant> }
  | { type: "trouble" | "watched" | "people" };

/** A WebSocket that comes back until it is left, or until `isOver`. */
function follow(path: string, take: (said: unknown) => void, isOver: () => boolean): () => void {
  let tries = 0;
  let timer: number | undefined;
  let socket: WebSocket | undefined;
  let isLeft = false;
  const connect = (): void => {
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + path);
    socket.onmessage = (event) => {
      tries = 0;
      take(JSON.parse(event.data as string));
    };
    socket.onclose = () => {
      if (isLeft || isOver()) return;
      timer = window.setTimeout(connect, RETRIES[Math.min(tries, RETRIES.length - 1)]);
      tries += 1;
    };
  };
  connect();
  return () => {
    isLeft = true;
    clearTimeout(timer);
    socket?.close();
  };
}

export function SharedGroups(props: { now: number }) {
  const [owners, setOwners] = createSignal<string[]>([]);
  onCleanup(follow("/api/shared", (said) => setOwners((said as { by: string[] }).by.slice(0, MAX_OWNERS)), () => false));
  return <For each={owners()}>{(owner) => <Group owner={owner} now={props.now} />}</For>;
}

function Group(props: { owner: string; now: number }) {
  const [store, setStore] = createStore<{ list: Session[] }>({ list: [] });
  const [grants, setGrants] = createSignal<Record<string, Grant>>();
  const known = new Map<string, Session>();
  const of = `/shared/${encodeURIComponent(props.owner)}`;
  const take = (said: unknown): void => {
    const message = said as Message;
    if (message.type === "shared") setGrants(message.sessions);
    if (message.type !== "list" && message.type !== "changes") return;
    if (message.type === "list") known.clear();
    for (const session of message.type === "list" ? message.sessions : message.changed) known.set(session.id, session);
    const order = message.type === "list" ? message.sessions.map((session) => session.id) : message.order;
    const list = order.map((id) => known.get(id)).filter((session) => session !== undefined);
    setStore("list", reconcile(list, { key: "id" }));
  };
  const isOver = (): boolean => Object.keys(grants() ?? { x: 0 }).length === 0;
  onCleanup(follow(`${of}/api/events`, take, isOver));
  const shown = () => store.list.filter((session) => grants()?.[session.id]);
  return (
    <Show when={shown().length > 0}>
      <h2>
        <bdi>{text.group(props.owner)}</bdi>
      </h2>
      <ul class="shared-group" aria-label={text.group(props.owner)}>
        <For each={shown()}>
          {(session) => (
            <li data-session={session.id} data-state={session.state}>
              <a class="row-main" href={`${of}/session/${session.id}`}>
                <span class="state" data-state={session.state}>
                  {states[session.state]}
                </span>
                <span class="name">
                  <bdi>{session.name}</bdi>
                </span>
                <span class="title">
                  <bdi>{session.title ?? ""}</bdi>
                </span>
                <span class="where">{grants()?.[session.id]?.drive ? text.mayType : text.youWatch}</span>
                <span class="age">{ago(session.changed, props.now)}</span>
              </a>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}

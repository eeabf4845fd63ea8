/** The list of sessions, as the lobby tells it: everything at first, then what changed. */

import { createSignal } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { type Marks, setMarks } from "./attention/marks";
import { socketUrl } from "./base";
import { type Layout, keepingFocus, moveOver, setLayoutProblem, takeLayout } from "./layout/state";
import { diagnose, learn, line, setLine } from "./line";

export type State =
  | "waiting"
  | "starting"
  | "working"
  | "idle"
  | "unknown"
  | "suspended"
  | "shell"
  | "lost"
  | "saved"
  | "ended";

export interface Session {
  /** What it is known by here: its id, or its name if it has none yet. */
  key: string;
  id: string;
  name: string;
  state: State;
  waiting_for?: string;
  agent?: string;
  title?: string;
  directory: string;
  windows: number;
  panes: number;
  viewers: number;
  /** Since when its agent does what it does, in seconds since the epoch. */
  since?: number;
  model?: string;
  branch?: string;
  /** In bytes. */
  memory?: number;
  /** How many commands its agent has running. */
  commands?: number;
  changed: number;
  live: boolean;
  /** Whether its terminal may be made ready before it is opened. */
  preload?: boolean;
  ending?: boolean;
  /** A prompt that is held until its agent takes it, and why it does not if it is idle. */
  held?: { text: string; trouble?: string };
}

/** What is said of sessions whose state has changed. */
type Spoken = (changed: Session[]) => string;

type Message =
  | { type: "list"; sessions: Session[]; host: string; user: string }
  | { type: "changes"; changed: Session[]; gone: string[]; order: string[] }
  | { type: "trouble"; message: string }
  | { type: "layout"; layout?: Layout; problem?: string }
  | { type: "watched"; by: string[] }
  | ({ type: "attention" } & Marks)
  | { type: "people"; sessions: Record<string, Person[]> }
  | { type: "shared"; sessions: Record<string, Grant> };

/** Someone who has a session open. */
export interface Person {
  name: string;
  drives: boolean;
  may_drive: boolean;
}

/** What is shared with this person of one session. */
export interface Grant {
  drive: boolean;
  until: number;
}


/** How often changes are announced at most, in milliseconds. */
const SAID_EVERY = 1000;
/** How long to wait before the next try, in milliseconds: the last one stays. */
const RETRIES = [200, 500, 1000, 2000, 5000];
/** A page that no one saw for so long may have a dead connection and not know it, in milliseconds. */
const STALE = 60_000;

/** As src/lobby/protocol/sessions.rs has it. */
const keyOf = (session: Session): string => session.id || `${session.state} ${session.name}`;

const [store, setStore] = createStore<{ list: Session[] }>({ list: [] });
const [isLoaded, setLoaded] = createSignal(false);
const [trouble, setTrouble] = createSignal("");
const [place, setPlace] = createSignal({ host: "", user: "" });
const [watchers, setWatchers] = createSignal<string[]>([]);
const [people, setPeople] = createSignal<Record<string, Person[]>>({});
const [grants, setGrants] = createSignal<Record<string, Grant>>({});
const [announcement, announce] = createSignal("");

export const sessions = (): Session[] => store.list;
export { announce, announcement, grants, isLoaded, people, place, trouble, watchers };

export const find = (id: string): Session | undefined => store.list.find((session) => session.id === id);

export const count = (state: State): number => store.list.filter((session) => session.state === state).length;

/** What this browser kept is moved over once. */
let moving: Promise<void> | undefined;

const byKey = new Map<string, Session>();

function enter(session: Session): void {
  const key = keyOf(session);
  byKey.set(key, { ...session, key });
}

/** Changes of state that are not announced yet: each session's last one. */
const unsaid = new Map<string, Session>();
let saying: number | undefined;

/** Says what changed, at most once a second, however much it is. */
function announceSoon(session: Session, spoken: Spoken): void {
  unsaid.set(keyOf(session), session);
  saying ??= window.setTimeout(() => {
    announce(spoken([...unsaid.values()]));
    unsaid.clear();
    saying = undefined;
  }, SAID_EVERY);
}

function take(message: Message, spoken: Spoken): void {
  if (message.type === "trouble") {
    setTrouble(message.message);
    return;
  }
  if (message.type === "layout") {
    setLayoutProblem(message.problem ?? "");
    if (message.layout) {
      takeLayout(message.layout);
      moving ??= moveOver();
    }
    return;
  }
  if (message.type === "watched") {
    setWatchers(message.by);
    return;
  }
  if (message.type === "attention") {
    setMarks(message);
    return;
  }
  if (message.type === "people") {
    setPeople(message.sessions);
    return;
  }
  if (message.type === "shared") {
    setGrants(message.sessions);
    return;
  }
  let order: string[];
  if (message.type === "list") {
    byKey.clear();
    for (const session of message.sessions) enter(session);
    order = message.sessions.map(keyOf);
    setPlace({ host: message.host, user: message.user });
    setTrouble("");
    setWatchers([]);
    setPeople({});
  } else {
    for (const session of message.changed) {
      const before = byKey.get(keyOf(session));
      if (before && before.state !== session.state) announceSoon(session, spoken);
      enter(session);
    }
    for (const key of message.gone) byKey.delete(key);
    order = message.order;
  }
  const list = order.map((key) => byKey.get(key)).filter((session) => session !== undefined);
  keepingFocus(() => setStore("list", reconcile(list, { key: "key" })));
  setLoaded(true);
}

let socket: WebSocket | undefined;

/** Says something to the lobby, if there is a connection. */
export const say = (message: object): void => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

/** Follows the list for as long as the page is there. `spoken` is what a change of state is announced as. */
export function follow(spoken: Spoken): void {
  let tries = 0;
  let timer: number | undefined;
  const connect = (): void => {
    clearTimeout(timer);
    const own = new WebSocket(socketUrl("/api/events"));
    socket = own;
    own.onopen = () => {
      tries = 0;
      setLine("online");
    };
    own.onmessage = (event) => take(JSON.parse(event.data as string) as Message, spoken);
    own.onclose = () => isClosed();
  };
  const isClosed = async (): Promise<void> => {
    socket = undefined;
    if (line() === "online") setLine("connecting");
    const found = await diagnose();
    if (socket !== undefined) return;
    setLine(found);
    if (found === "logged out" || found === "cut") return;
    const pause = RETRIES[Math.min(tries, RETRIES.length - 1)] ?? 5000;
    tries += 1;
    timer = window.setTimeout(connect, pause);
  };
  /** Gives up a connection that may be dead. */
  const again = (): void => {
    if (socket) {
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
    tries = 0;
    void isClosed();
  };
  let hidden = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = Date.now();
    else if (hidden > 0 && Date.now() - hidden > STALE) again();
  });
  addEventListener("online", again);
  // A lobby on this machine is there without a network, too.
  addEventListener("offline", async () => {
    if ((await diagnose()) === "offline") again();
  });
  void learn();
  connect();
}

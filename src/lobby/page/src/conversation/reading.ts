/** The conversation of one session: what was said, as the lobby tells it. See src/lobby/protocol/conversation.rs. */

import { batch, createSignal } from "solid-js";

export type Message = { at: number; part: number; time?: string } & (
  | { type: "prompt"; text: string; images: number }
  | { type: "answer"; text: string }
  | { type: "thought"; text: string }
  | { type: "note"; text: string }
  | { type: "call"; id: string; tool: string; summary: string; size: number }
  | { type: "result"; id: string; failed: boolean; summary: string; size: number; images: number }
);

export interface Payload {
  text: string;
  images: { media_type: string; data: string }[];
}

/** Messages, and where the lines begin and end that they are in. */
interface Shown {
  messages: Message[];
  begin: number;
  end: number;
}

/** What a past conversation is called, and the session that runs it. */
export interface About {
  title: string;
  directory: string;
  session?: string;
}

/** Whose conversation is read. */
export type Whose = { type: "hello"; session: string } | { type: "past"; agent: string; id: string };

type FromLobby =
  | ({ type: "newest"; agent: string; last: boolean; about?: About } & Shown)
  | ({ type: "next"; last: boolean } & Shown)
  | ({ type: "earlier" | "later" } & Shown)
  | { type: "nothing"; why: string }
  | ({ type: "unfolded"; at: number; part: number } & Payload);

/** How long to wait before the next try, in milliseconds: the last one stays. */
const RETRIES = [100, 500, 1000, 2000, 5000];
/** More messages are not kept: those far away from what is read go, and can be had again. */
const MAX_KEPT = 500;

const keyOf = (at: number, part: number): string => `${at} ${part}`;

export interface Reading {
  /** The birth id of the session, if it is read by that. */
  session: string | undefined;
  messages(): Message[];
  agent(): string;
  about(): About | undefined;
  /** Why there is nothing; empty if there is. */
  why(): string;
  connected(): boolean;
  hasEarlier(): boolean;
  earlier(): void;
  hasLater(): boolean;
  next(): void;
  /** Goes to the newest messages, from wherever one is. */
  newest(): void;
  /** The place that is to be shown first, until it is. */
  sought(): number | undefined;
  isThere(): void;
  unfold(message: Message): Promise<Payload>;
  close(): void;
}

/** As many of the last messages as are kept. A line stays whole. */
function lastOf(all: Message[]): Message[] {
  let cut = all.length - MAX_KEPT;
  if (cut <= 0) return all;
  while (cut < all.length && all[cut]?.at === all[cut - 1]?.at) cut += 1;
  return all.slice(cut);
}

function firstOf(all: Message[]): Message[] {
  let cut = MAX_KEPT;
  if (cut >= all.length) return all;
  while (cut > 0 && all[cut]?.at === all[cut - 1]?.at) cut -= 1;
  return cut > 0 ? all.slice(0, cut) : all;
}

/** `address` gives the URL anew for each connection. */
export function read(address: () => Promise<string>, whose: Whose, place?: number): Reading {
  const [messages, setMessages] = createSignal<Message[]>([]);
  const [agent, setAgent] = createSignal("");
  const [about, setAbout] = createSignal<About>();
  const [why, setWhy] = createSignal("");
  const [begin, setBegin] = createSignal(0);
  const [end, setEnd] = createSignal(0);
  const [isLast, setLast] = createSignal(true);
  const [connected, setConnected] = createSignal(false);
  const wanted = new Map<string, ((payload: Payload) => void)[]>();
  let sought = place;
  let socket: WebSocket | undefined;
  let isOver = false;
  let isAsked = false;
  let isAskedNext = false;
  let tries = 0;

  /** Adds at the end; the first ones go if there are too many. */
  const append = (said: Shown): void => {
    const all = [...messages(), ...said.messages];
    const kept = lastOf(all);
    const [first] = kept;
    if (kept.length < all.length && first) setBegin(first.at);
    setEnd(said.end);
    setMessages(kept);
  };
  const take = (said: FromLobby): void => {
    switch (said.type) {
      case "newest":
        isAsked = false;
        isAskedNext = false;
        batch(() => {
          setMessages(said.messages);
          setAgent(said.agent);
          setAbout(said.about ?? about());
          setBegin(said.begin);
          setEnd(said.end);
          setLast(said.last);
          setWhy("");
        });
        // There may have been nothing to show in what was read.
        if (said.messages.length === 0) earlier();
        break;
      case "earlier":
        isAsked = false;
        batch(() => {
          const all = [...said.messages, ...messages()];
          const kept = firstOf(all);
          const dropped = all[kept.length];
          if (dropped) {
            setEnd(dropped.at);
            setLast(false);
          }
          setMessages(kept);
          setBegin(said.begin);
        });
        if (said.messages.length === 0) earlier();
        break;
      case "next":
        isAskedNext = false;
        batch(() => {
          append(said);
          setLast(said.last);
        });
        if (said.messages.length === 0) next();
        break;
      case "later":
        // Elsewhere it is had by `next` when it is reached.
        if (isLast()) batch(() => append(said));
        break;
      case "nothing":
        isOver ||= said.why === "revoked" || said.why === "expired";
        batch(() => {
          setMessages([]);
          setBegin(0);
          setLast(true);
          setWhy(said.why);
        });
        break;
      case "unfolded": {
        const key = keyOf(said.at, said.part);
        for (const resolve of wanted.get(key) ?? []) resolve(said);
        wanted.delete(key);
        break;
      }
    }
  };
  const connect = async (): Promise<void> => {
    const url = await address().catch((failed: Error) => {
      isOver = true;
      setWhy(failed.message);
    });
    if (!url || isOver) return;
    socket = new WebSocket(url);
    socket.onopen = () => {
      tries = 0;
      setConnected(true);
      // After a broken line it goes on where one was.
      const all = messages();
      const at = sought ?? (isLast() ? undefined : all[all.length >> 1]?.at);
      isAsked = false;
      isAskedNext = false;
      socket?.send(JSON.stringify({ ...whose, at }));
      for (const key of wanted.keys()) ask(key);
    };
    socket.onmessage = (event) => take(JSON.parse(event.data as string) as FromLobby);
    socket.onclose = () => {
      setConnected(false);
      if (isOver) return;
      setTimeout(() => isOver || void connect(), RETRIES[Math.min(tries, RETRIES.length - 1)]);
      tries += 1;
    };
  };
  const send = (said: unknown): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(said));
  };
  const ask = (key: string): void => {
    const [at, part] = key.split(" ").map(Number);
    send({ type: "unfold", at, part });
  };
  const earlier = (): void => {
    if (isAsked || begin() === 0 || !connected()) return;
    isAsked = true;
    send({ type: "earlier", before: begin() });
  };
  const next = (): void => {
    if (isAskedNext || isLast() || !connected()) return;
    isAskedNext = true;
    send({ type: "next", after: end() });
  };
  void connect();
  return {
    session: whose.type === "hello" ? whose.session : undefined,
    messages,
    agent,
    about,
    why,
    connected,
    hasEarlier: () => begin() > 0,
    earlier,
    hasLater: () => !isLast(),
    next,
    newest: () => send({ type: "newest" }),
    sought: () => sought,
    isThere: () => void (sought = undefined),
    unfold: (message) =>
      new Promise((resolve) => {
        const key = keyOf(message.at, message.part);
        const others = wanted.get(key);
        wanted.set(key, [...(others ?? []), resolve]);
        if (!others) ask(key);
      }),
    close: () => {
      isOver = true;
      socket?.close();
    },
  };
}

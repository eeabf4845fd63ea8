/** The search as the lobby does it. See src/lobby/protocol/search.rs. */

import { createSignal } from "solid-js";
import { socketUrl } from "../base";

export interface Hit {
  at: number;
  is_prompt: boolean;
  time?: string;
  /** Every second piece is a word that was found. */
  pieces: string[];
}

export interface Found {
  agent: string;
  id: string;
  title: string;
  directory: string;
  last: number;
  session?: [string, string];
  messages: number;
  hits: Hit[];
}

export interface Progress {
  reading: boolean;
  files: number;
  of_files: number;
  read: number;
  of: number;
  trouble: string;
}

export interface Answer {
  words: string;
  conversations: Found[];
  all: number;
  messages: number;
}

type FromLobby =
  | ({ type: "progress" } & Progress)
  | ({ type: "found"; number: number } & Omit<Answer, "words">)
  | { type: "failed"; number: number; why: string };

/** How long to wait before the next try, in milliseconds: the last one stays. */
const RETRIES = [100, 500, 1000, 2000, 5000];

export interface Seeking {
  progress(): Progress | undefined;
  answer(): Answer | undefined;
  error(): string;
  connected(): boolean;
  find(words: string, limit: number): void;
  close(): void;
}

export function seek(): Seeking {
  const [progress, setProgress] = createSignal<Progress>();
  const [answer, setAnswer] = createSignal<Answer>();
  const [error, setError] = createSignal("");
  const [connected, setConnected] = createSignal(false);
  let wanted: { number: number; words: string; limit: number } | undefined;
  let socket: WebSocket | undefined;
  let isOver = false;
  let tries = 0;
  const ask = (): void => {
    if (wanted && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "find", ...wanted }));
  };
  const take = (said: FromLobby): void => {
    if (said.type === "progress") {
      setProgress(said);
    } else if (said.number === wanted?.number) {
      setError(said.type === "failed" ? said.why : "");
      if (said.type === "found") setAnswer({ words: wanted.words, ...said });
    }
  };
  const connect = (): void => {
    socket = new WebSocket(socketUrl("/api/search"));
    socket.onopen = () => {
      tries = 0;
      setConnected(true);
      ask();
    };
    socket.onmessage = (event) => take(JSON.parse(event.data as string) as FromLobby);
    socket.onclose = () => {
      setConnected(false);
      if (isOver) return;
      setTimeout(() => isOver || connect(), RETRIES[Math.min(tries, RETRIES.length - 1)]);
      tries += 1;
    };
  };
  connect();
  return {
    progress,
    answer,
    error,
    connected,
    find: (words, limit) => {
      wanted = { number: (wanted?.number ?? 0) + 1, words, limit };
      if (words.trim()) ask();
      else setAnswer(undefined);
    },
    close: () => {
      isOver = true;
      socket?.close();
    },
  };
}

/** Uploads to the lobby, two at once, each of which goes on after a broken line. See src/lobby/protocol/files.rs. */

import { createSignal } from "solid-js";
import { socketUrl } from "../base";
import { bytes } from "../text";
import { text } from "./text";

/** Largest file, in bytes, and of one message: see src/lobby/files/store.rs. */
const MAX_FILE = 64 << 20;
const PART = 60 << 10;
/** As much is sent before it is known to be taken, in bytes. */
const AHEAD = 8 * PART;
const AT_ONCE = 2;
/** How long to wait before the next try, in milliseconds: the last one stays. After all of them it is given up. */
const RETRIES = [100, 500, 1000, 2000, 5000, 5000, 5000, 10_000, 10_000, 20_000];
/** No answer for so long means a dead line, in milliseconds. */
const SILENT = 15_000;

export type State = "waiting" | "running" | "broken" | "done" | "failed";

type FromLobby =
  | { type: "ready"; from: number }
  | { type: "taken"; bytes: number }
  | { type: "done"; path: string }
  | { type: "failed"; why: string; final: boolean };

const randomId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const queue: Upload[] = [];
let running = 0;

function next(): void {
  while (running < AT_ONCE) {
    const upload = queue.shift();
    if (!upload) return;
    running += 1;
    upload.begin(() => {
      running -= 1;
      next();
    });
  }
}

export class Upload {
  readonly name: string;
  readonly size: number;
  private readonly id = randomId();
  private readonly states = createSignal<State>("waiting");
  private readonly takens = createSignal(0);
  private readonly whys = createSignal("");
  private socket: WebSocket | undefined;
  private sent = 0;
  private isSending = false;
  private tries = 0;
  private silence: number | undefined;
  private over: (() => void) | undefined;

  constructor(
    private readonly session: string,
    private readonly file: File,
    private readonly isDone: (path: string) => void,
  ) {
    this.name = (file.name || "file").normalize("NFC");
    this.size = file.size;
    if (file.size > MAX_FILE) {
      this.fail(text.tooLarge(bytes(MAX_FILE)));
      return;
    }
    queue.push(this);
    next();
  }

  state = (): State => this.states[0]();
  taken = (): number => this.takens[0]();
  /** Why it failed, or where it is. */
  why = (): string => this.whys[0]();

  /** Called when it is its turn. */
  begin(over: () => void): void {
    this.over = over;
    this.connect();
  }

  cancel(): void {
    const at = queue.indexOf(this);
    if (at >= 0) queue.splice(at, 1);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "cancel" }));
    this.fail("");
  }

  private connect = (): void => {
    if (this.isOver()) return;
    const socket = new WebSocket(socketUrl("/api/files/upload"));
    this.socket = socket;
    this.isSending = false;
    socket.onopen = () => {
      const { session, id, name, size } = this;
      socket.send(JSON.stringify({ type: "begin", session, upload: id, name, size }));
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data as string) as FromLobby);
    socket.onclose = () => this.isClosed(socket);
  };

  private isOver(): boolean {
    return this.state() === "done" || this.state() === "failed";
  }

  private isClosed(socket: WebSocket): void {
    if (this.isOver() || this.socket !== socket) return;
    clearTimeout(this.silence);
    this.socket = undefined;
    const pause = RETRIES[this.tries];
    this.tries += 1;
    if (pause === undefined) {
      this.fail(text.broken);
      return;
    }
    this.states[1]("broken");
    setTimeout(this.connect, pause);
  }

  /** A half-open line is noticed by nothing else. */
  private listen(): void {
    clearTimeout(this.silence);
    this.silence = window.setTimeout(() => {
      const socket = this.socket;
      socket?.close();
      if (socket) this.isClosed(socket);
    }, SILENT);
  }

  private take(said: FromLobby): void {
    if (this.isOver()) return;
    this.listen();
    if (said.type === "ready") {
      this.sent = said.from;
      this.takens[1](said.from);
      this.states[1]("running");
      void this.send();
    } else if (said.type === "taken") {
      this.tries = 0;
      this.takens[1](said.bytes);
      void this.send();
    } else if (said.type === "done") {
      this.end("done", said.path);
      this.isDone(said.path);
    } else if (said.final) {
      this.fail(said.why);
    }
  }

  private async send(): Promise<void> {
    const socket = this.socket;
    if (this.isSending || !socket) return;
    this.isSending = true;
    while (socket === this.socket && this.sent < this.size && this.sent - this.taken() < AHEAD && !this.isOver()) {
      const from = this.sent;
      let part: ArrayBuffer;
      try {
        part = await this.file.slice(from, from + PART).arrayBuffer();
      } catch (failed) {
        // It was changed or removed meanwhile, or is a directory.
        this.fail(failed instanceof Error ? failed.message : text.isDirectory);
        socket.close();
        return;
      }
      if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) break;
      this.sent = from + part.byteLength;
      socket.send(part);
    }
    if (socket === this.socket) this.isSending = false;
  }

  private fail(why: string): void {
    if (!this.isOver()) this.end("failed", why);
  }

  private end(state: "done" | "failed", why: string): void {
    clearTimeout(this.silence);
    this.states[1](state);
    this.whys[1](why);
    const socket = this.socket;
    // What was said last is to arrive.
    if (socket) setTimeout(() => socket.close(), 100);
    this.over?.();
    this.over = undefined;
  }
}

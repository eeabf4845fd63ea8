/**
 * One view of a terminal: counts what it got and what was taken of what it sent, so that it goes on where it was
 * when its connection breaks. See src/lobby/protocol/terminal.rs.
 */

import { sessionUrl } from "./base";
import { diagnose } from "./line";

const DATA = 0;
const COUNT = 1;
/** After so many bytes of output the lobby gets to know that they are shown. */
const TELL_AFTER = 16 * 1024;
/** How long to wait before the next try, in milliseconds: the last one stays. */
const RETRIES = [50, 200, 500, 1000, 2000];
/** A key whose echo does not come within this time means that the line may be dead. */
const PROBE = 1500;
/** Closes a connection that may be dead, so that the view is kept: other ways to close it end the view, too. */
const LINE_LOST = 4000;
/** Typed while the line is down: no more is held. */
const MAX_HELD = 4096;

export interface Size {
  columns: number;
  rows: number;
}

export interface View {
  /** Shows output; calls back once it is shown. */
  write(data: Uint8Array, shown: () => void): void;
  /** Begins with an empty terminal. */
  reset(): void;
  size(): Size;
  connected(is: boolean): void;
  held(keys: number): void;
  /** The size of what another view drives. */
  sized(size: Size): void;
  /** Whether this view types and sizes. */
  drives(is: boolean): void;
  /** The owner gives the keyboard to this view. */
  handed(): void;
  ended(reason: string): void;
}

type FromLobby =
  | { type: "welcome"; resumed: boolean; taken: number }
  | ({ type: "size" } & Size)
  | { type: "role"; drives: boolean }
  | { type: "handed" }
  | { type: "ended"; reason: string };

const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function count(bytes: number): Uint8Array<ArrayBuffer> {
  const message = new DataView(new ArrayBuffer(9));
  message.setUint8(0, COUNT);
  message.setBigUint64(1, BigInt(bytes), true);
  return new Uint8Array(message.buffer);
}

export class Connection {
  private readonly id = randomId();
  private socket: WebSocket | undefined;
  private isWelcome = false;
  private isOver = false;
  private tries = 0;
  private received = 0;
  private shown = 0;
  private acknowledged = 0;
  /** What was typed and is not known to be taken; its first byte is the one after `taken`. */
  private typed: Uint8Array[] = [];
  private taken = 0;
  private probe: number | undefined;
  private drives = false;
  /** The person wants to drive, and the lobby did not answer yet. */
  private wantsToDrive = false;

  /** `preload` until the person opens the session: such a view neither types nor sizes. */
  constructor(
    private readonly session: string,
    private readonly watch: boolean,
    private preload: boolean,
    private readonly view: View,
  ) {
    addEventListener("online", this.retry);
    addEventListener("offline", this.mayBeDead);
    this.connect();
  }

  /** Types and sizes from now on. */
  drive(): void {
    this.preload = false;
    this.wantsToDrive = !this.watch;
    if (!this.watch) this.say({ type: "drive", ...this.view.size() });
  }

  /** What the person types. */
  type(bytes: Uint8Array): void {
    if (this.watch || this.isOver || bytes.length === 0 || (this.isWelcome && !this.drives)) return;
    if (!this.isWelcome) {
      // Control keys are not held: a Ctrl-C of a minute ago is not wanted any more.
      const isControl = bytes.length === 1 && (bytes[0] ?? 0) < 32 && bytes[0] !== 13 && bytes[0] !== 9;
      if (isControl || this.untaken() + bytes.length > MAX_HELD) return;
    }
    this.typed.push(bytes);
    if (this.isWelcome) this.send(bytes);
    else this.view.held(this.typed.length);
    this.probe ??= window.setTimeout(this.isSilent, PROBE);
  }

  resize(size: Size): void {
    if (this.drives) this.say({ type: "resize", ...size });
  }

  private say(message: unknown): void {
    if (this.isWelcome) this.socket?.send(JSON.stringify(message));
  }

  close(): void {
    this.isOver = true;
    removeEventListener("online", this.retry);
    removeEventListener("offline", this.mayBeDead);
    clearTimeout(this.probe);
    this.socket?.close();
  }

  private untaken(): number {
    return this.typed.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  private send(bytes: Uint8Array): void {
    // One message of the lobby's is no larger than 64 KiB.
    for (let at = 0; at < bytes.length; at += 32 * 1024) {
      const part = bytes.subarray(at, at + 32 * 1024);
      const message = new Uint8Array(part.length + 1);
      message[0] = DATA;
      message.set(part, 1);
      this.socket?.send(message);
    }
  }

  private readonly retry = (): void => {
    if (!this.isOver && this.socket === undefined) this.connect();
  };

  /** No answer to a key: a half-open connection is noticed by nothing else for a long time. */
  private readonly isSilent = (): void => {
    this.probe = undefined;
    if (this.untaken() > 0 && this.isWelcome) this.drop();
  };

  /** The browser says that it is offline; a lobby on the same machine is there all the same. */
  private readonly mayBeDead = async (): Promise<void> => {
    if ((await diagnose()) === "offline") this.drop();
  };

  private drop(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close(LINE_LOST);
    this.isClosed();
  }

  private connect(): void {
    const socket = new WebSocket(sessionUrl("/api/terminal", this.session));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      const hello = { type: "hello", view: this.id, session: this.session, watch: this.watch, preload: this.preload };
      socket.send(JSON.stringify({ ...hello, ...this.view.size(), received: this.received }));
    };
    socket.onmessage = (event) => this.take(event.data as string | ArrayBuffer);
    socket.onclose = () => this.isClosed();
  }

  private isClosed(): void {
    this.socket = undefined;
    this.isWelcome = false;
    if (this.isOver) return;
    this.view.connected(false);
    const pause = RETRIES[Math.min(this.tries, RETRIES.length - 1)] ?? 2000;
    this.tries += 1;
    setTimeout(this.retry, pause);
  }

  private take(data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      this.takeText(JSON.parse(data) as FromLobby);
      return;
    }
    const bytes = new Uint8Array(data);
    if (bytes[0] === COUNT) {
      this.isTaken(Number(new DataView(data).getBigUint64(1, true)));
    } else if (bytes[0] === DATA) {
      const output = bytes.subarray(1);
      this.received += output.length;
      this.view.write(output, () => this.isShown(output.length));
    }
  }

  private takeText(message: FromLobby): void {
    if (message.type === "ended") {
      this.isOver = true;
      this.view.ended(message.reason);
      return;
    }
    if (message.type === "role") {
      if (!message.drives && this.wantsToDrive) {
        this.drive(); // it was said before the lobby knew
        return;
      }
      this.wantsToDrive = false;
      this.drives = message.drives;
      this.view.drives(message.drives);
      return;
    }
    if (message.type === "handed") {
      this.view.handed();
      return;
    }
    if (message.type === "size") {
      this.view.sized({ columns: message.columns, rows: message.rows });
      return;
    }
    this.tries = 0;
    if (!message.resumed) {
      this.received = 0;
      this.shown = 0;
      this.acknowledged = 0;
      this.taken = 0;
      this.view.reset();
    }
    this.isTaken(message.taken);
    this.isWelcome = true;
    for (const bytes of this.typed) this.send(bytes);
    this.view.connected(true);
    this.view.held(0);
  }

  private isTaken(bytes: number): void {
    let rest = bytes - this.taken;
    this.taken = bytes;
    while (rest > 0) {
      const first = this.typed[0];
      if (first === undefined) break;
      if (first.length > rest) {
        this.typed[0] = first.subarray(rest);
        break;
      }
      rest -= first.length;
      this.typed.shift();
    }
    clearTimeout(this.probe);
    this.probe = this.typed.length > 0 ? window.setTimeout(this.isSilent, PROBE) : undefined;
  }

  private isShown(bytes: number): void {
    this.shown += bytes;
    if (this.shown - this.acknowledged < TELL_AFTER || !this.isWelcome) return;
    this.acknowledged = this.shown;
    this.socket?.send(count(this.shown));
  }
}

/** A terminal in an element of the page. It is loaded only when a session is about to be opened. */

import { SearchAddon } from "@xterm/addon-search";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { createEffect, createRoot } from "solid-js";
import { copy, wanted } from "./clipboard";
import { Connection, type Size } from "./connection";
import { change, isDark, settings } from "./settings";
import { DARK, LIGHT } from "./themes";

const FONT = "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
/** After the first output, for the first screen to be there, in milliseconds. */
const SETTLES = 300;
const SMALLEST = 6;
const LARGEST = 40;

/** Whether the browser has WebGL, until it turns out that it has not. */
let hasWebgl = true;

/** What a page wants to know of a terminal. */
export interface Events {
  connected(is: boolean): void;
  held(keys: number): void;
  ended(reason: string): void;
  drives(is: boolean): void;
  /** The owner has given the keyboard to this view. */
  handed?(): void;
  printed(): void;
  /** The target of the link under the pointer; empty if there is none. */
  link(target: string): void;
  /** A program wants this text in the clipboard. */
  clipboard(text: string): void;
  /** The person wants to search. */
  find(): void;
}

export interface Mode {
  watch: boolean;
  preload: boolean;
}

/** Opens a session in an element. */
export function open(container: Element, session: string, mode: Mode): Opened {
  return new Opened(container, session, mode);
}

export class Opened {
  private readonly element = document.createElement("div");
  private readonly terminal: Terminal;
  private readonly search = new SearchAddon();
  private readonly connection: Connection;
  private readonly sizes = new ResizeObserver(() => this.fit());
  /** Ends following the colours. */
  private undark = (): void => undefined;
  private readonly encoder = new TextEncoder();
  private events: Events | undefined;
  /** What happened before anyone listened. */
  private state = { connected: true, held: 0, ended: "", printed: false };
  private isShown = false;
  private isClosed = false;
  private isFast = false;
  private role: "watches" | "preloads" | "drives" | "follows";
  /** Whether Ctrl of the soft keys is held. */
  private ctrl = false;

  constructor(
    container: Element,
    session: string,
    mode: Mode,
  ) {
    this.role = mode.watch ? "watches" : mode.preload ? "preloads" : "drives";
    this.element.className = "screen";
    container.append(this.element);
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: false,
      disableStdin: mode.watch,
      fontFamily: FONT,
      fontSize: settings().fontSize,
      linkHandler: {
        activate: openLink,
        hover: (_, link) => this.events?.link(link),
        leave: () => this.events?.link(""),
        allowNonHttpProtocols: false,
      },
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5,
      screenReaderMode: settings().reader,
      scrollback: 0,
      theme: isDark() ? DARK : LIGHT,
      // No program gets to know the title, or moves the window.
      windowOptions: {},
    });
    // It connects while the terminal is made.
    this.connection = new Connection(session, mode.watch, mode.preload, {
      write: (data, shown) => this.write(data, shown),
      reset: () => this.terminal.reset(),
      size: () => ({ columns: this.terminal.cols, rows: this.terminal.rows }),
      sized: (size) => this.follow(size),
      connected: (is) => {
        this.state.connected = is;
        this.events?.connected(is);
      },
      held: (keys) => {
        this.state.held = keys;
        this.events?.held(keys);
      },
      drives: (is) => this.setDrives(is),
      handed: () => {
        this.takeOver();
        this.events?.handed?.();
      },
      ended: (reason) => {
        this.state.ended = reason;
        this.events?.ended(reason);
      },
    });
    this.draw();
    this.fill();
    this.listen();
  }

  /** Shows it in an element, and begins to drive if it may, unless it waits for that. */
  show(container: Element, events: Events, waits = false): void {
    this.events = events;
    this.isShown = true;
    if (this.element.parentElement !== container) container.append(this.element);
    if (this.role === "preloads" && !waits) this.drive();
    events.connected(this.state.connected);
    events.held(this.state.held);
    if (this.state.ended) events.ended(this.state.ended);
    if (this.state.printed) events.printed();
    events.drives(this.role === "drives");
    this.fit();
    this.mark();
    if (!waits) this.focus();
  }

  /** Types and sizes from now on, instead of another view. */
  takeOver(): void {
    this.drive();
    this.focus();
  }

  private drive(): void {
    this.role = "drives";
    this.terminal.options.fontSize = settings().fontSize;
    this.fill();
    this.connection.drive();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Types what a soft key stands for. */
  press(keys: string): void {
    this.terminal.input(keys, true);
    this.focus();
  }

  /** Puts a text where one types, as a paste does. */
  paste(text: string): void {
    this.terminal.paste(text);
    this.focus();
  }

  holdCtrl(is: boolean): void {
    this.ctrl = is;
    this.focus();
  }

  /** Finds a text on the screen; whether it is there. */
  find(text: string, isBack: boolean): boolean {
    const options = { decorations: { matchOverviewRuler: "#8ab4f8", activeMatchColorOverviewRuler: "#f2b25c", matchBackground: "#34507a", activeMatchBackground: "#9a4b00" } };
    return isBack ? this.search.findPrevious(text, options) : this.search.findNext(text, options);
  }

  stopFinding(): void {
    this.search.clearDecorations();
    this.terminal.clearSelection();
    this.focus();
  }

  /** Makes the text larger or smaller, or as it is by itself. */
  zoom(step: number): void {
    const size = step === 0 ? 14 : Math.min(LARGEST, Math.max(SMALLEST, settings().fontSize + step));
    change({ fontSize: size });
    this.terminal.options.fontSize = size;
    this.fit();
  }

  /** Whether screen readers can read it, which costs some time. */
  read(is: boolean): void {
    change({ reader: is });
    this.terminal.options.screenReaderMode = is;
  }

  close(): void {
    this.events = undefined;
    this.isClosed = true;
    this.undark();
    this.sizes.disconnect();
    this.connection.close();
    this.terminal.dispose();
    this.element.remove();
  }

  private draw(): void {
    const terminal = this.terminal;
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new WebLinksAddon(openLink, { hover: (_, link) => this.events?.link(link), leave: () => this.events?.link("") }));
    terminal.loadAddon(this.search);
    terminal.open(this.element);
    terminal.textarea?.setAttribute("aria-label", "Terminal");
  }

  /** Draws with WebGL from now on, if the browser has it: begun only when the screen is there, since it takes longer. */
  private readonly accelerate = (): void => {
    if (this.isClosed || this.isFast) return;
    this.isFast = true;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.terminal.loadAddon(webgl);
    } catch {
      hasWebgl = false; // the terminal draws by itself
    }
    this.squeeze(1);
    this.fit();
  };

  /** Draws narrower than by itself. */
  private squeeze(share: number): void {
    const drawn = this.terminal.element;
    if (drawn) drawn.style.transform = share === 1 ? "" : `scaleX(${share})`;
  }

  private listen(): void {
    const terminal = this.terminal;
    terminal.onData((data) => this.connection.type(this.encoder.encode(this.withCtrl(data))));
    terminal.onBinary((data) => this.connection.type(Uint8Array.from(data, (char) => char.charCodeAt(0))));
    terminal.onResize(({ cols, rows }) => this.connection.resize({ columns: cols, rows }));
    terminal.onSelectionChange(() => {
      if (settings().copyOnSelect && this.isShown && terminal.hasSelection()) void copy(terminal.getSelection());
    });
    terminal.attachCustomKeyEventHandler((event) => this.isOfTerminal(event));
    terminal.parser.registerOscHandler(52, (data) => {
      const text = wanted(data);
      if (text && this.isShown) this.events?.clipboard(text);
      return true;
    });
    this.undark = createRoot((end) => {
      createEffect(() => {
        this.terminal.options.theme = isDark() ? DARK : LIGHT;
      });
      return end;
    });
    this.sizes.observe(this.element);
  }

  /** A key of the page's own is not typed. */
  private isOfTerminal(event: KeyboardEvent): boolean {
    if (event.type !== "keydown" || !event.ctrlKey || event.altKey || event.metaKey) return true;
    const step = { "+": 1, "=": 1, "-": -1, "0": 0 }[event.key];
    if (step !== undefined && !(event.key === "=" && event.shiftKey)) {
      event.preventDefault();
      this.zoom(step);
      return false;
    }
    if (event.shiftKey && event.key.toLowerCase() === "f") {
      event.preventDefault();
      this.events?.find();
      return false;
    }
    return true;
  }

  /** A letter after the soft Ctrl key is a control character. */
  private withCtrl(data: string): string {
    if (!this.ctrl || data.length !== 1) return data;
    this.ctrl = false;
    dispatchEvent(new Event("lobby:ctrl-used"));
    const code = data.toUpperCase().charCodeAt(0);
    return code >= 64 && code < 96 ? String.fromCharCode(code - 64) : data;
  }

  private write(data: Uint8Array, shown: () => void): void {
    this.terminal.write(data, () => {
      shown();
      if (!this.state.printed) {
        this.state.printed = true;
        this.events?.printed();
        setTimeout(this.accelerate, SETTLES);
      }
      this.mark();
    });
  }

  /** Marks, for those who measure, that the whole screen is drawn: its last line is there, tmux's status. */
  private mark(): void {
    if (!this.isShown || performance.getEntriesByName("lobby:shown").length > 0) return;
    const buffer = this.terminal.buffer.active;
    const last = buffer.getLine(buffer.baseY + this.terminal.rows - 1)?.translateToString(true);
    if (last) requestAnimationFrame(() => performance.mark("lobby:shown"));
  }

  private setDrives(is: boolean): void {
    if (this.role === "preloads") return;
    if (this.role !== "watches") this.role = is ? "drives" : "follows";
    this.events?.drives(this.role === "drives");
    this.fit();
  }

  private cell(): { width: number; height: number } | undefined {
    const screen = this.element.querySelector(".xterm-screen");
    if (!(screen instanceof HTMLElement) || screen.offsetWidth === 0) return undefined;
    const width = screen.offsetWidth / this.terminal.cols;
    const height = screen.offsetHeight / this.terminal.rows;
    if (this.isFast || !hasWebgl) return { width, height };
    // WebGL draws characters as wide as whole pixels: what it will draw soon has that size at once.
    const whole = Math.max(1, Math.floor(width * devicePixelRatio)) / devicePixelRatio;
    this.squeeze(whole / width);
    return { width: whole, height };
  }

  /** Makes it as large as its element. */
  private fill(): void {
    const cell = this.cell();
    if (!cell) return;
    const columns = Math.max(20, Math.floor(this.element.clientWidth / cell.width));
    const rows = Math.max(5, Math.floor(this.element.clientHeight / cell.height));
    if (columns !== this.terminal.cols || rows !== this.terminal.rows) this.terminal.resize(columns, rows);
  }

  /** What another view drives has that one's size: its text is made as large as fits. */
  private scale(): void {
    const cell = this.cell();
    if (!cell) return;
    const width = this.element.clientWidth / (cell.width * this.terminal.cols);
    const height = this.element.clientHeight / (cell.height * this.terminal.rows);
    const now = this.terminal.options.fontSize ?? settings().fontSize;
    const size = Math.max(4, Math.min(settings().fontSize, Math.floor(now * Math.min(width, height))));
    if (size !== now) this.terminal.options.fontSize = size;
  }

  private fit(): void {
    if (this.role === "drives") this.fill();
    else if (this.isShown) this.scale();
  }

  private follow(size: Size): void {
    if (this.role === "drives") return;
    this.terminal.resize(size.columns, size.rows);
    this.fit();
  }
}

function openLink(event: MouseEvent, link: string): void {
  const isWanted = event.ctrlKey || event.metaKey;
  if (isWanted && /^https?:\/\//.test(link)) window.open(link, "_blank", "noopener,noreferrer");
}

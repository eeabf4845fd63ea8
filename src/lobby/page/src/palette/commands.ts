/**
 * What a person can do by the palette or by a key: each part of the page registers its own commands here. Nothing
 * else is in this file, since the list loads it.
 */

export interface Command {
  /** What it is known by; a later one of the same id replaces it. */
  id: string;
  title: string | (() => string);
  /** What else it is found by, and what stands beside it. */
  hint?: string | (() => string);
  /**
   * A key, as `Ctrl-Shift-P`: only such that a terminal does not use. Further ones after a space. `?` alone counts
   * outside of inputs.
   */
  shortcut?: string;
  /** Whether it can be done now. */
  when?: () => boolean;
  /** Whether it is about the session that is open, or whose row was asked for. */
  ofSession?: boolean;
  /** Whether the palette does not offer it, as it is only of use by its key. */
  keyOnly?: boolean;
  run(): void;
}

const all = new Map<string, Command>();

/** Adds a command; what it returns takes it away again. */
export function register(command: Command): () => void {
  all.set(command.id, command);
  return () => {
    if (all.get(command.id) === command) all.delete(command.id);
  };
}

/** All that were registered, in that order. */
export const commands = (): Command[] => [...all.values()];

export const said = (text: string | (() => string) | undefined): string => (typeof text === "function" ? text() : (text ?? ""));

/** What a key is called in `shortcut`; a letter of another script is what a Latin keyboard has at its place. */
function nameOf(event: KeyboardEvent): string {
  const isLatin = /^[\x21-\x7e]$/.test(event.key);
  const placed = /^(?:Key|Digit)(.)$/.exec(event.code)?.[1];
  let key = event.key.length > 1 || isLatin ? event.key : (placed ?? event.key);
  if (key === " ") key = "Space";
  // Where `?` is the shifted `/`, and where it is not.
  if (key === "?" || (event.shiftKey && event.code === "Slash")) key = event.ctrlKey ? "/" : "?";
  if (key === "?") return event.altKey || event.metaKey ? "" : key;
  if (event.metaKey) return "";
  const held = [event.ctrlKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey || key === "/" ? "Shift" : ""];
  return [...held, key.length === 1 ? key.toUpperCase() : key].filter(Boolean).join("-");
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select") !== null);

/** Does what a key stands for, on the whole page; while a dialog is open, nothing. */
export function listen(): () => void {
  const press = (event: KeyboardEvent): void => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    if (!name || (name === "?" && isTyping(event.target))) return;
    const found = commands().find((command) => command.shortcut?.split(" ").includes(name) && (command.when?.() ?? true));
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    found.run();
  };
  addEventListener("keydown", press, true);
  return () => removeEventListener("keydown", press, true);
}

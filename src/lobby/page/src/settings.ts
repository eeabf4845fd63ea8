/** What this browser keeps of a person's choices. */

import { createSignal } from "solid-js";

const NAME = "lobby";

export type Theme = "system" | "light" | "dark";

interface Settings {
  fontSize: number;
  copyOnSelect: boolean;
  grouped: boolean;
  /** Keys of sessions that stay on top. */
  pins: string[];
  /** The agent that was started last. */
  agent: string;
  /** Whether agents' sessions are opened as text; without a choice, on narrow screens that are touched. */
  textFirst?: boolean;
  /** Whether terminals are read by screen readers. */
  reader: boolean;
  /** The colours. */
  theme: Theme;
}

const DEFAULTS: Settings = { fontSize: 14, copyOnSelect: false, grouped: false, pins: [], agent: "", reader: true, theme: "system" };

function stored(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(NAME) ?? "{}") as Partial<Settings>) };
  } catch {
    return DEFAULTS;
  }
}

const [settings, setSettings] = createSignal(stored());
const system = matchMedia("(prefers-color-scheme: dark)");
const [isSystemDark, setSystemDark] = createSignal(system.matches);
system.addEventListener("change", () => setSystemDark(system.matches));

/** Whether the colours are dark: as the person chose, or else as the system has them. */
export const isDark = (): boolean => (settings().theme === "system" ? isSystemDark() : settings().theme === "dark");

export { settings };

/** Changes some, in other tabs, too. */
export function change(some: Partial<Settings>): void {
  setSettings({ ...stored(), ...some });
  try {
    localStorage.setItem(NAME, JSON.stringify(settings()));
  } catch {
    // A browser that keeps nothing: they count until the page is left.
  }
}

addEventListener("storage", () => setSettings(stored()));

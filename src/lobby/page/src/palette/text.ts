/** The texts of the palette and of the help. */

import { translated } from "../language";

export const text = {
  commands: "Commands and sessions",
  search: "Type a command or a session",
  none: "Nothing is found.",
  results: (count: number) => `${count} ${count === 1 ? "result" : "results"}`,
  more: (count: number) => `${count} more; type on to find them`,
  session: "Session",
  rename: (name: string) => `Rename ${name}`,
  end: (name: string) => `End ${name}`,
  undo: (name: string) => `Do not end ${name}`,
  asText: "Show the conversation as text",
  asTerminal: "Show the terminal",
  share: (name: string) => `Share ${name}…`,
  sharing: "What you share",
  searchAll: "Search in all conversations",
  newSession: "New session…",
  restore: "Restore sessions…",
  logins: "Logins",
  lookAt: "Look at another user's lobby…",
  theme: (name: string) => `Colours: ${name}`,
  themes: { system: "as the system has them", light: "light", dark: "dark" },
  help: "Keys",
  helpHint: "No terminal uses these keys, but for Ctrl-Shift and an arrow, which lead to another tile.",
  close: "Close",
  anywhere: "Everywhere",
  inList: "In the list",
  inTerminal: "In a terminal",
  walk: "Go from row to row",
  order: "Move a row up or down",
  larger: "Larger text",
  smaller: "Smaller text",
  usual: "Text as it was",
  find: "Find text on the screen",
};

translated("palette", { text });

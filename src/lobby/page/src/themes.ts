/** Colours of terminals, for light and dark systems. */

import type { ITheme } from "@xterm/xterm";

export const DARK: ITheme = { background: "#14171c", foreground: "#d9dee7", cursor: "#8ab4f8", selectionBackground: "#34507a" };
export const LIGHT: ITheme = {
  background: "#ffffff",
  foreground: "#1c232d",
  cursor: "#2563a8",
  cursorAccent: "#ffffff",
  selectionBackground: "#b8d3f5",
  black: "#1c232d",
  red: "#b3261e",
  green: "#1d6b34",
  yellow: "#7a5600",
  blue: "#1f5fae",
  magenta: "#84329b",
  cyan: "#0b6875",
  white: "#5a6472",
  brightBlack: "#5a6472",
  brightRed: "#b3261e",
  brightGreen: "#1d6b34",
  brightYellow: "#7a5600",
  brightBlue: "#1f5fae",
  brightMagenta: "#84329b",
  brightCyan: "#0b6875",
  brightWhite: "#1c232d",
};

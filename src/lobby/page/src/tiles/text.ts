/** The texts of tiles. */

import { translated } from "../language";

export const text = {
  title: "Side by side",
  none: "No session is shown side by side.",
  noneHint: "Choose 'More' at a row of the list, then 'Show beside others'; or drag a row onto 'Side by side'.",
  oneMore: "Add a session…",
  arrangement: "Arrangement",
  alone: (name: string) => `Open ${name} alone`,
  remove: (name: string) => `Take ${name} out`,
  typeHere: "Type here",
  othersLook: "Others look at it, too.",
  watching: "You watch.",
  gone: "It is not there now. It comes back here when it is restored.",
  endsAlone: "It ends with its last terminal: open it alone.",
  columnEdge: (at: number) => `Width of column ${at}`,
  rowEdge: (at: number) => `Height of row ${at}`,
  add: (name: string) => `Show ${name} beside others`,
  out: (name: string) => `Take ${name} out of the tiles`,
  earlier: (name: string) => `Move the tile ${name} to the front`,
  open: "Side by side",
  keys: "Go from tile to tile",
  resize: "At an edge: make it wider or narrower",
};

export const arrangements = { columns: "Columns", rows: "Rows", grid: "Grid" };

translated("tiles", { text, arrangements });

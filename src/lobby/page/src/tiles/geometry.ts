/** Where tiles are (pure). */

import type { Layout } from "../layout/state";

/** The smallest share of a column or row, of 100. */
const LEAST = 10;

export interface Shape {
  columns: number[];
  rows: number[];
}

/** The columns and rows of so many tiles, each with its share of 100. */
export function shape(tiles: Layout["tiles"], count: number): Shape {
  const { arrangement } = tiles;
  const columns = arrangement === "columns" ? count : arrangement === "rows" ? 1 : Math.ceil(Math.sqrt(count));
  const rows = arrangement === "rows" ? count : Math.ceil(count / Math.max(1, columns));
  return { columns: shares(tiles.columns, columns), rows: shares(tiles.rows, rows) };
}

function shares(kept: number[], count: number): number[] {
  if (kept.length !== count) return Array.from({ length: count }, () => 100 / count);
  const sum = kept.reduce((all, one) => all + one, 0);
  return kept.map((one) => (one * 100) / sum);
}

/** Moves the edge after a share by so much; its neighbour gives or takes it. */
export function moved(all: number[], edge: number, by: number): number[] {
  const [one, two] = [all[edge], all[edge + 1]];
  if (one === undefined || two === undefined) return all;
  const step = Math.max(LEAST - one, Math.min(two - LEAST, by));
  return all.map((share, at) => (at === edge ? share + step : at === edge + 1 ? share - step : share));
}

/** The tile beside one, in the direction of an arrow key; `undefined` at the edge. */
export function beside(at: number, count: number, columns: number, key: string): number | undefined {
  const column = at % columns;
  const to = { ArrowLeft: column > 0 ? at - 1 : -1, ArrowRight: column < columns - 1 ? at + 1 : -1, ArrowUp: at - columns, ArrowDown: at + columns }[key];
  return to !== undefined && to >= 0 && to < count ? to : undefined;
}

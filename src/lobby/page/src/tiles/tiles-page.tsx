/** Several sessions side by side. On a narrow screen one is shown at a time. */

import { For, Show, createEffect, createSignal, onCleanup, onMount } from "solid-js";
import { onlyWatches } from "../line";
import { type Layout, arrange, layout, layoutProblem } from "../layout/state";
import { go } from "../route";
import "../session.css";
import { find } from "../sessions";
import { show } from "../shown";
import { text as common } from "../text-later";
import { type Shape, beside, moved, shape } from "./geometry";
import { arrangements, text } from "./text";
import { Tile } from "./tile";
import "./tiles.css";

/** How far an arrow key moves an edge, of 100. */
const STEP = 2;
/** The tile that the person is in, also when they come back to this page. */
const [active, setActive] = createSignal("");

export function TilesPage() {
  let area!: HTMLDivElement;
  const narrow = matchMedia("(max-width: 40rem)");
  const [isNarrow, setNarrow] = createSignal(narrow.matches);
  const follow = (): void => void setNarrow(narrow.matches);
  narrow.addEventListener("change", follow);
  onCleanup(() => narrow.removeEventListener("change", follow));
  const tiles = (): Layout["tiles"] => layout().tiles;
  const ids = (): string[] => tiles().sessions;
  const current = (): string => (ids().includes(active()) ? active() : (ids()[0] ?? ""));
  const shown = (): string[] => (isNarrow() ? ids().filter((id) => id === current()) : ids());
  /** While an edge is dragged. */
  const [dragged, setDragged] = createSignal<Shape>();
  const now = (): Shape => dragged() ?? shape(tiles(), ids().length);
  createEffect(() => {
    tiles();
    setDragged(undefined);
  });
  const press = (event: KeyboardEvent): void => {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey || !event.key.startsWith("Arrow")) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    const columns = isNarrow() ? ids().length : now().columns.length;
    const to = beside(ids().indexOf(current()), ids().length, columns, event.key);
    const id = to === undefined ? undefined : ids()[to];
    if (id === undefined) return;
    setActive(id);
    const focus = (): void => area.querySelector<HTMLElement>(`[data-session="${id}"] :is(textarea, button)`)?.focus();
    const textarea = area.querySelector<HTMLElement>(`[data-session="${id}"] textarea`);
    if (textarea) textarea.focus();
    else requestAnimationFrame(focus);
  };
  onMount(() => addEventListener("keydown", press, true));
  onCleanup(() => removeEventListener("keydown", press, true));
  const keep = (next: Shape): void => {
    const whole = (all: number[]): number[] => all.map((one) => Math.round(one * 10));
    void arrange({ type: "size_tiles", columns: whole(next.columns), rows: whole(next.rows) });
  };
  const edges = (axis: keyof Shape): number[] => (isNarrow() ? [] : now()[axis].slice(0, -1).map((_, at) => at));
  const before = (axis: keyof Shape, edge: number): number => now()[axis].slice(0, edge + 1).reduce((sum, one) => sum + one, 0);
  const drag = (axis: keyof Shape, edge: number, event: PointerEvent): void => {
    const target = event.currentTarget as HTMLElement;
    target.setPointerCapture(event.pointerId);
    const begin = axis === "columns" ? event.clientX : event.clientY;
    const all = axis === "columns" ? area.clientWidth : area.clientHeight;
    const first = now();
    const move = (next: PointerEvent): void => {
      const by = (((axis === "columns" ? next.clientX : next.clientY) - begin) * 100) / all;
      setDragged({ ...first, [axis]: moved(first[axis], edge, by) });
    };
    const end = (): void => {
      target.removeEventListener("pointermove", move);
      const last = dragged();
      if (last) keep(last);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", end, { once: true });
    target.addEventListener("pointercancel", end, { once: true });
  };
  const pressEdge = (axis: keyof Shape, edge: number, event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const by = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = { ...now(), [axis]: moved(now()[axis], edge, by) };
    setDragged(next);
    keep(next);
  };
  const template = (all: number[]): string => all.map((one) => `minmax(0, ${one}fr)`).join(" ");
  const edge = (axis: keyof Shape) => (at: number) => (
    <div
      class="edge"
      classList={{ upright: axis === "columns" }}
      role="separator"
      tabIndex={0}
      aria-label={axis === "columns" ? text.columnEdge(at + 1) : text.rowEdge(at + 1)}
      aria-orientation={axis === "columns" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(before(axis, at))}
      style={{ [axis === "columns" ? "left" : "top"]: `${before(axis, at)}%` }}
      onPointerDown={(event) => drag(axis, at, event)}
      onKeyDown={(event) => pressEdge(axis, at, event)}
    />
  );
  return (
    <main class="session tiles-page">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={common.back} title={`${common.back} (Ctrl-Shift-K)`}>
          ‹
        </button>
        <h1>{text.title}</h1>
        <span class="title" />
        <Show when={ids().length > 1 && !isNarrow() && !onlyWatches()}>
          <select
            aria-label={text.arrangement}
            onChange={(event) => arrange({ type: "arrange", to: event.currentTarget.value as Layout["tiles"]["arrangement"] })}
          >
            <For each={["columns", "rows", "grid"] as const}>{(one) => <option value={one} selected={tiles().arrangement === one}>{arrangements[one]}</option>}</For>
          </select>
        </Show>
        <Show when={!onlyWatches()}>
          <button type="button" onClick={() => show({ kind: "palette", tiles: true })}>
            {text.oneMore}
          </button>
        </Show>
      </header>
      <Show when={layoutProblem()}>
        <p class="error" role="alert">
          {common.layoutFails}: {layoutProblem()}
        </p>
      </Show>
      <Show when={isNarrow() && ids().length > 1}>
        <nav class="tile-names" aria-label={text.title}>
          <For each={ids()}>
            {(id) => (
              <button type="button" aria-pressed={id === current()} onClick={() => setActive(id)}>
                <bdi>{find(id)?.name ?? id}</bdi>
              </button>
            )}
          </For>
        </nav>
      </Show>
      <div
        class="tiles"
        ref={area}
        style={isNarrow() ? {} : { "grid-template-columns": template(now().columns), "grid-template-rows": template(now().rows) }}
      >
        <For each={shown()}>{(id) => <Tile id={id} begins={id === current()} focused={() => setActive(id)} />}</For>
        <For each={edges("columns")}>{edge("columns")}</For>
        <For each={edges("rows")}>{edge("rows")}</For>
      </div>
      <Show when={ids().length === 0}>
        <div class="empty">
          <p>{text.none}</p>
          <p class="note">{text.noneHint}</p>
        </div>
      </Show>
    </main>
  );
}

/** The sessions of a plan, each with a tick and with what is done with its panes. */

import { For, type JSX, Show } from "solid-js";
import type { Plan, PlanRow } from "../api";
import { states } from "../text-later";
import { text } from "./text";

/** A session of the plan. */
export interface Offer {
  key: string;
  session: string;
  name: string;
  from: string | undefined;
  closed: number | undefined;
  /** Whether it is ticked unless the person says otherwise. */
  isSelected: boolean;
  rows: PlanRow[];
}

const keyOf = (row: PlanRow): string => `${row.from ?? ""} ${row.session}`;

/** What can come back: sessions of which something is not there. */
export function offers(plan: Plan | undefined): Offer[] {
  const all = new Map<string, Offer>();
  for (const row of plan?.rows ?? []) {
    if (row.action === "skip") continue;
    const key = keyOf(row);
    const offer = all.get(key) ?? {
      key,
      session: row.session,
      name: row.name,
      from: row.from,
      closed: undefined,
      isSelected: false,
      rows: [],
    };
    offer.rows.push(row);
    offer.closed ??= row.closed;
    offer.isSelected ||= row.selected;
    all.set(key, offer);
  }
  return [...all.values()];
}

/** Names of sessions of which all is there. */
export function there(plan: Plan | undefined): string[] {
  const missing = new Set((plan?.rows ?? []).filter((row) => row.action !== "skip").map(keyOf));
  return [...new Set((plan?.rows ?? []).filter((row) => !missing.has(keyOf(row))).map((row) => row.name))];
}

/** The result of a restore for a pane. */
const resultOf = (done: Plan | undefined, row: PlanRow): string | undefined =>
  done?.rows.find((other) => keyOf(other) === keyOf(row) && other.window === row.window && other.pane === row.pane)?.result;

export const hasFailed = (row: PlanRow): boolean => row.result?.startsWith("failed") ?? false;

interface OffersProps {
  label: string;
  offers: Offer[];
  isTicked(offer: Offer): boolean;
  tick(offer: Offer, isTicked: boolean): void;
  disabled?: boolean;
  done: Plan | undefined;
  /** What else is said of a session, beside its name and below its panes. */
  beside?(offer: Offer): JSX.Element;
  below?(offer: Offer): JSX.Element;
}

export function Offers(props: OffersProps) {
  return (
    <ul class="plan" aria-label={props.label}>
      <For each={props.offers}>
        {(offer) => (
          <li>
            <label class="check">
              <input
                type="checkbox"
                checked={props.isTicked(offer)}
                disabled={props.disabled}
                onChange={(event) => props.tick(offer, event.currentTarget.checked)}
              />
              <strong>
                <bdi>{offer.name}</bdi>
              </strong>
              {props.beside?.(offer)}
            </label>
            <ul>
              <For each={offer.rows}>{(row) => <PlannedPane row={row} result={resultOf(props.done, row)} />}</For>
            </ul>
            {props.below?.(offer)}
          </li>
        )}
      </For>
    </ul>
  );
}

function PlannedPane(props: { row: PlanRow; result: string | undefined }) {
  return (
    <li>
      <span>{`${props.row.window}.${props.row.pane}`}</span> <bdi>{props.row.agent ?? states.shell}</bdi>{" "}
      <span>{text.actions[props.row.action](props.row.target)}</span> <bdi dir="ltr">{props.row.directory}</bdi>
      <Show when={props.row.mode}>{(mode) => <>; {text.modes[mode()] ?? ""}</>}</Show>
      <Show when={props.row.reason}>
        {(reason) => (
          <>
            {" "}
            (<bdi>{reason()}</bdi>)
          </>
        )}
      </Show>
      <Show when={props.result}>
        {(result) => <strong classList={{ error: result().startsWith("failed") }}> {result()}</strong>}
      </Show>
    </li>
  );
}

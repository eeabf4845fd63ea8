/** What is shared now: with whom, since when, until when, who looks; each can be revoked. */

import { For, Show, createEffect, createResource, createSignal, on } from "solid-js";
import { announce, people } from "../sessions";
import { moment } from "../text";
import { type All, asked } from "./asked";
import { text } from "./text";
import "./share.css";

/** The shares, asked for again whenever someone comes or goes. */
export function useShares() {
  const [error, setError] = createSignal("");
  const [all, { refetch }] = createResource<All>(() =>
    asked.all().catch((failed: Error) => {
      setError(failed.message);
      return { shares: [], links: [] };
    }),
  );
  createEffect(on(people, () => void refetch(), { defer: true }));
  const revoke = async (id: string): Promise<void> => {
    setError("");
    await asked.revoke(id).then(
      () => announce(text.revoked),
      (failed: Error) => setError(failed.message),
    );
    await refetch();
  };
  return { all, error, revoke, refetch };
}

export function Shares(props: { all: All; showNames: boolean; revoke(id: string): Promise<void> }) {
  const row = (id: string, name: string, who: string, facts: string[]) => (
    <li>
      <span class="shared">
        <span class="name">
          <bdi>{who}</bdi>
        </span>
        <Show when={props.showNames}>
          {" "}
          <bdi>{name}</bdi>
        </Show>
        <span class="note">{facts.filter(Boolean).join(", ")}</span>
      </span>
      <button type="button" class="quiet" onClick={() => props.revoke(id)}>
        {text.revoke}
        <span class="spoken">
          {" "}
          {who} {name}
        </span>
      </button>
    </li>
  );
  return (
    <Show when={props.all.shares.length + props.all.links.length > 0} fallback={<p class="note">{text.nothing}</p>}>
      <ul class="shares">
        <For each={props.all.shares}>
          {(share) =>
            row(share.id, share.name, share.with, [
              share.drive ? text.drive : text.watch,
              text.since(moment(share.made)),
              text.until(moment(share.until)),
              text.looking(share.looking),
            ])
          }
        </For>
        <For each={props.all.links}>
          {(link) =>
            row(link.id, link.name, text.links, [
              text.since(moment(link.made)),
              text.until(moment(link.until)),
              text.viewed(link.viewers, link.most, link.viewed > 0 ? moment(link.viewed) : ""),
              text.looking(link.looking),
            ])
          }
        </For>
      </ul>
    </Show>
  );
}

/** Shares one session: with a person, or its conversation by a link. */

import { For, Show, createResource, createSignal, onMount } from "solid-js";
import { copy } from "../clipboard";
import { me } from "../line";
import { type Session, announce } from "../sessions";
import { asked } from "./asked";
import { Shares, useShares } from "./shares";
import { text } from "./text";

const HOURS = [1, 4, 8, 24, 72, 7 * 24, 30 * 24];
const DAYS = [1, 7, 30, 90];
const VIEWERS = [1, 2, 5, 10, 25, 100];

export function ShareDialog(props: { session: Session; close(): void }) {
  let element!: HTMLDialogElement;
  const { all, error: listError, revoke, refetch } = useShares();
  const isHere = () => me()?.mode === "open";
  const [people] = createResource(() => (isHere() ? Promise.resolve([]) : asked.people().catch(() => [])));
  const others = (): string[] => (people() ?? []).filter((user) => user !== me()?.user);
  const [person, setPerson] = createSignal("");
  const [drive, setDrive] = createSignal(false);
  const [hours, setHours] = createSignal(8);
  const [days, setDays] = createSignal(7);
  const [viewers, setViewers] = createSignal(5);
  const [link, setLink] = createSignal("");
  const [error, setError] = createSignal("");
  const chosen = () => person() || (others()[0] ?? "");
  onMount(() => element.showModal());
  const own = () => ({
    shares: (all.latest?.shares ?? []).filter((share) => share.session === props.session.id),
    links: (all.latest?.links ?? []).filter((link) => link.session === props.session.id),
  });
  const attempt = async (event: Event, act: () => Promise<void>): Promise<void> => {
    event.preventDefault();
    setError("");
    await act().catch((failed: Error) => setError(failed.message));
    await refetch();
  };
  const share = () => asked.share(props.session.id, chosen(), drive(), hours());
  const make = async (): Promise<void> => {
    const { secret } = await asked.link(props.session.id, days(), viewers());
    setLink(`${location.origin}/link#${secret}`);
  };
  return (
    <dialog ref={element} class="share" aria-labelledby="dialog-title" onClose={() => props.close()}>
      <h2 id="dialog-title">
        <bdi>{text.title(props.session.name)}</bdi>
      </h2>
      <Show when={!isHere()}>
        <form aria-label={text.withPerson} onSubmit={(event) => attempt(event, share)}>
          <h3>{text.withPerson}</h3>
          <Show when={others().length > 0} fallback={<p class="note">{people.loading ? "" : text.noPeople}</p>}>
            <div class="fields">
              <label>
                {text.person}
                <select value={chosen()} onChange={(event) => setPerson(event.currentTarget.value)}>
                  <For each={others()}>{(name) => <option value={name}>{name}</option>}</For>
                </select>
              </label>
              <label>
                {text.may}
                <select value={drive() ? "drive" : "watch"} onChange={(event) => setDrive(event.currentTarget.value === "drive")}>
                  <option value="watch">{text.watch}</option>
                  <option value="drive">{text.drive}</option>
                </select>
              </label>
              <label>
                {text.lasts}
                <select value={hours()} onChange={(event) => setHours(Number(event.currentTarget.value))}>
                  <For each={HOURS}>{(count) => <option value={count} selected={count === hours()}>{text.hours(count)}</option>}</For>
                </select>
              </label>
              <button type="submit" class="main">
                {text.share}
              </button>
            </div>
            <p class={drive() ? "warning" : "note"} role="status">
              {drive() ? text.driveWarning : text.watchHint}
            </p>
          </Show>
        </form>
      </Show>
      <form aria-label={text.byLink} onSubmit={(event) => attempt(event, make)}>
        <h3>{text.byLink}</h3>
        <Show when={props.session.agent} fallback={<p class="note">{text.noConversation}</p>}>
          <div class="fields">
            <label>
              {text.lasts}
              <select value={days()} onChange={(event) => setDays(Number(event.currentTarget.value))}>
                <For each={DAYS}>{(count) => <option value={count} selected={count === days()}>{text.days(count)}</option>}</For>
              </select>
            </label>
            <label>
              {text.viewers}
              <select value={viewers()} onChange={(event) => setViewers(Number(event.currentTarget.value))}>
                <For each={VIEWERS}>{(count) => <option value={count} selected={count === viewers()}>{count}</option>}</For>
              </select>
            </label>
            <button type="submit" class="main">
              {text.makeLink}
            </button>
          </div>
          <p class="note">{text.linkHint}</p>
          <Show when={link()}>
            <div class="fields">
              <label class="made">
                {text.linkMade}
                <input readonly value={link()} onFocus={(event) => event.currentTarget.select()} />
              </label>
              <button type="button" onClick={async () => (await copy(link())) && announce(text.copied)}>
                {text.copyLink}
              </button>
            </div>
          </Show>
        </Show>
      </form>
      <Show when={error() || listError()}>
        <p class="error" role="alert">
          {error() || listError()}
        </p>
      </Show>
      <h3>{text.shared}</h3>
      <Shares all={own()} showNames={false} revoke={revoke} />
      <div class="row">
        <button type="button" onClick={() => props.close()}>
          {text.close}
        </button>
      </div>
    </dialog>
  );
}

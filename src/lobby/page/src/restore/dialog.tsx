/** The quick way to bring sessions back: what persist plans, with a choice for each session. */

import { Show, createMemo, createResource, createSignal } from "solid-js";
import { type Plan, api } from "../api";
import { Dialog } from "../dialog";
import { sessions } from "../sessions";
import { bytes, moment, text } from "../text-later";
import { choices, settled } from "./api";
import { type Offer, Offers, hasFailed, offers } from "./plan";
import "./restore.css";

export function RestoreDialog(props: { keys: string[]; close(): void }) {
  const [plan] = createResource(() => settled(api.plan(props.keys)));
  const [ticks, setTicks] = createSignal<Record<string, boolean>>({});
  const [done, setDone] = createSignal<Plan>();
  const all = createMemo(() => offers(plan()?.value));
  const isTicked = (offer: Offer): boolean => ticks()[offer.key] ?? offer.isSelected;
  const chosen = () => all().filter(isTicked);
  const back = () => chosen().filter((offer) => sessions().some((one) => one.live && one.name === offer.name)).length;
  const failed = () => (done()?.rows ?? []).filter(hasFailed);
  const restore = async (): Promise<boolean> => {
    setDone(await api.restore(choices(chosen())));
    return failed().length === 0;
  };
  return (
    <Dialog
      title={text.restore}
      act={text.restore}
      close={props.close}
      disabled={chosen().length === 0}
      busy={text.restoring(back(), chosen().length)}
      submit={restore}
    >
      <Show when={!plan.loading} fallback={<p>{text.loading}</p>}>
        <Show when={plan()?.error}>
          {(error) => (
            <p class="error" role="alert">
              {error()}
            </p>
          )}
        </Show>
        <Show when={plan()?.value && all().length === 0}>
          <p>{text.nothingToRestore}</p>
        </Show>
        <Show when={failed().length > 0}>
          <p class="error" role="alert">
            {text.notAll}
          </p>
        </Show>
        <Show when={all().length > 0}>
          <p>{text.willRestore}</p>
          <Offers
            label={text.restore}
            offers={all()}
            isTicked={isTicked}
            tick={(offer, ticked) => setTicks({ ...ticks(), [offer.key]: ticked })}
            done={done()}
            beside={(offer) => <Show when={offer.closed}>{(when) => <span class="note">{text.closedAt(moment(when()))}</span>}</Show>}
          />
          <p class="note">
            {text.starts(plan()?.value?.agents?.eager ?? 0, plan()?.value?.agents?.lazy ?? 0)}
            <Show when={plan()?.value?.free}>{(free) => <> ({text.memoryFree(bytes(free()))})</>}</Show>
          </p>
        </Show>
      </Show>
    </Dialog>
  );
}

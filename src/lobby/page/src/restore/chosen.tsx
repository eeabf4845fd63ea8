/** One snapshot: what of it comes back, what that costs, and what became of it. */

import { Show, createMemo, createResource, createSignal } from "solid-js";
import { type Plan, api } from "../api";
import { announce, sessions } from "../sessions";
import { bytes, moment, states, text as common } from "../text-later";
import { type Gone, choices, ofSnapshots, settled } from "./api";
import { Differences } from "./differences";
import { History } from "./history";
import { type Offer, Offers, hasFailed, offers } from "./plan";
import { text } from "./text";

interface ChosenProps {
  id: string;
  title: string;
  goings: Gone[];
  disabled: boolean;
  busy(isBusy: boolean): void;
  /** Sessions were restored. */
  changed(): void;
}

export function Chosen(props: ChosenProps) {
  const [plan, { refetch }] = createResource(() => settled(ofSnapshots.one(props.id)));
  const [ticks, setTicks] = createSignal<Record<string, boolean>>({});
  const [begun, setBegun] = createSignal<Offer[]>();
  const [isBusy, setBusy] = createSignal(false);
  const [done, setDone] = createSignal<Plan>();
  const [error, setError] = createSignal("");
  /** What is restored stays in sight with what became of it. */
  const all = createMemo(() => offers(plan.latest?.value));
  const isTicked = (offer: Offer): boolean => ticks()[offer.key] ?? offer.isSelected;
  const ticked = createMemo(() => all().filter(isTicked));
  const wanted = createMemo(() => (ticked().length > 0 && !begun() ? JSON.stringify(choices(ticked())) : undefined));
  const [cost] = createResource(wanted, (asked) => settled(api.planOf(JSON.parse(asked))));
  const tick = (offer: Offer, now: boolean): void => void setTicks({ ...ticks(), [offer.key]: now });
  const restore = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy() || ticked().length === 0) return;
    const chosen = ticked();
    setBegun(chosen);
    setDone(undefined);
    setError("");
    setBusy(true);
    props.busy(true);
    try {
      const answer = await api.restore(choices(chosen));
      setDone(answer);
      const failed = new Set(answer.rows.filter(hasFailed).map((row) => row.session));
      announce(failed.size > 0 ? text.notAll : text.done(chosen.length));
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
      setBegun(undefined);
    }
    setBusy(false);
    props.busy(false);
  };
  const look = (): void => {
    setBegun(undefined);
    setDone(undefined);
    setTicks({});
    void refetch();
    props.changed();
  };
  const failures = () => (done()?.rows ?? []).filter(hasFailed).length;
  const beside = (offer: Offer) => <Beside offer={offer} goings={props.goings} isBegun={begun()?.includes(offer) ?? false} />;
  const group = (closed: boolean) => all().filter((offer) => (offer.closed !== undefined) === closed);
  const offered = (closed: boolean, title: string, hint: string) => (
    <Show when={group(closed).length > 0}>
      <h3>{title}</h3>
      <p class="note">{hint}</p>
      <Offers
        label={title}
        offers={group(closed)}
        isTicked={isTicked}
        tick={tick}
        disabled={props.disabled || begun() !== undefined}
        done={done()}
        beside={beside}
        below={(offer) => <History session={offer.session} name={offer.name} />}
      />
    </Show>
  );
  return (
    <form class="chosen" onSubmit={restore} aria-busy={isBusy()}>
      <h2>{props.title}</h2>
      <Show when={plan.latest} fallback={<p class="empty">{common.loading}</p>}>
        <Show when={plan.latest?.error}>
          {(error) => (
            <p class="error" role="alert">
              {error()}{" "}
              <button type="button" onClick={look}>
                {text.tryAgain}
              </button>
            </p>
          )}
        </Show>
        <Show when={plan.latest?.value}>
          {(known) => (
            <>
              <Show when={all().length === 0}>
                <p>{text.nothingMissing}</p>
              </Show>
              {offered(false, text.comesBack, text.comesBackHint)}
              {offered(true, text.closed, text.closedHint)}
              <Show when={error()}>
                <p class="error" role="alert">
                  {error()}
                </p>
              </Show>
              <Show when={all().length > 0}>
                <div class="act">
                  <p role="status">
                    <Show when={begun()} fallback={<Cost plan={cost()?.value} />}>
                      {(chosen) => (
                        <Show when={done()} fallback={text.running}>
                          {failures() > 0 ? text.notAll : text.done(chosen().length)}
                        </Show>
                      )}
                    </Show>
                  </p>
                  <Show
                    when={done()}
                    fallback={
                      <button type="submit" class="main" disabled={props.disabled || isBusy() || ticked().length === 0}>
                        {text.wouldRestore(ticked().length)}
                      </button>
                    }
                  >
                    <button type="button" onClick={look}>
                      {common.close}
                    </button>
                  </Show>
                </div>
              </Show>
              <Differences plan={known()} />
            </>
          )}
        </Show>
      </Show>
    </form>
  );
}

/** When and why a session went; while it is restored, whether it is there and what it does. */
function Beside(props: { offer: Offer; goings: Gone[]; isBegun: boolean }) {
  const going = () =>
    props.goings.find((one) => one.session === props.offer.session && one.closed === (props.offer.closed !== undefined));
  const when = () => props.offer.closed ?? going()?.at;
  const target = () => props.offer.rows.find((row) => row.action === "renamed")?.target ?? props.offer.name;
  const now = () => sessions().find((session) => session.live && session.name === target());
  return (
    <>
      <Show when={when()}>
        {(at) => (
          <span class="note">
            {props.offer.closed ? text.closedAt(moment(at())) : text.lostAt(moment(at()))}
            <Show when={going()?.why}>
              {(why) => (
                <>
                  : <bdi>{why()}</bdi>
                </>
              )}
            </Show>
          </span>
        )}
      </Show>
      <Show when={props.isBegun}>
        <span class="state" data-state={now()?.state}>
          {now() ? states[now()?.state ?? "unknown"] : text.notYet}
        </span>
      </Show>
    </>
  );
}

function Cost(props: { plan: Plan | undefined }) {
  const eager = () => props.plan?.agents?.eager ?? 0;
  const cost = () => eager() * (props.plan?.agent_memory ?? 0);
  return (
    <Show when={props.plan}>
      {(plan) => (
        <>
          {text.starts(eager(), plan().agents?.lazy ?? 0)}{" "}
          <Show when={plan().free}>
            {(free) => (
              <>
                {cost() > 0 ? text.costs(bytes(cost()), bytes(free())) : text.free(bytes(free()))}
                <Show when={cost() > free()}>
                  {" "}
                  <strong class="error">{text.tooMuch}</strong>
                </Show>
              </>
            )}
          </Show>
        </>
      )}
    </Show>
  );
}

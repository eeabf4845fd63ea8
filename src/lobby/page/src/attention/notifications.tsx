/** The settings of notifications: this browser, all that are notified, and what is muted. */

import { For, Show, createResource, createSignal } from "solid-js";
import { moment } from "../text";
import { type Device, attention } from "./api";
import { marks, mute } from "./marks";
import { obstacle, ownEndpoint, subscribe, unsubscribe } from "./subscription";
import { text } from "./text";

interface Known {
  devices: Device[];
  own: string;
}

export function Notifications() {
  const [error, setError] = createSignal("");
  const [said, setSaid] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  const fails = (failed: unknown): void => void setError(failed instanceof Error ? failed.message : String(failed));
  const [known, { refetch }] = createResource<Known>(async () => {
    const [devices, own] = await Promise.all([
      attention.devices().catch((failed: unknown) => (fails(failed), [])),
      ownEndpoint().catch(() => ""),
    ]);
    return { devices, own };
  });
  const isOn = (): boolean => known()?.devices.some((device) => device.endpoint === known()?.own) ?? false;
  /** Does something, and shows what failed. */
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    setError("");
    setSaid("");
    setBusy(true);
    await work().catch(fails);
    setBusy(false);
    await refetch();
  };
  const remove = (device: Device): Promise<void> =>
    act(async () => {
      if (device.endpoint === known()?.own) await unsubscribe();
      await attention.remove(device.id);
    });
  const test = (): Promise<void> =>
    act(async () => {
      const { taken, failed } = await attention.test();
      setSaid([text.tested(taken), ...failed.map(text.testFailed)].join(" "));
    });
  const about = (device: Device): string =>
    [text.by(device.service), text.since(moment(device.created)), device.used > 0 ? text.reached(moment(device.used)) : ""].filter(Boolean).join(", ");
  return (
    <section aria-labelledby="notifications">
      <h2 id="notifications">{text.notifications}</h2>
      <p>{text.hint}</p>
      <p class="note">{text.once}</p>
      <Show when={obstacle() === ""} fallback={<p role="status">{obstacle()}</p>}>
        <p role="status">{isBusy() ? text.turningOn : isOn() ? text.on : text.off}</p>
        <Show when={known() && !isOn()}>
          <button type="button" class="main" disabled={isBusy()} onClick={() => act(subscribe)}>
            {text.turnOn}
          </button>
        </Show>
      </Show>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <p>
        <label class="check">
          <input
            type="checkbox"
            checked={marks()?.all_muted ?? false}
            onChange={(event) => act(() => mute(null, event.currentTarget.checked))}
          />
          {text.muteAll}
        </label>
      </p>
      <p class="note">{text.muteHint}</p>
      <h3>{text.devices}</h3>
      <Show when={(known()?.devices.length ?? 0) > 0} fallback={<p class="note">{text.noDevices}</p>}>
        <ul aria-label={text.devices}>
          <For each={known()?.devices}>
            {(device) => (
              <li>
                <span class="login">
                  <span class="name">{device.name}</span>
                  <Show when={device.endpoint === known()?.own}> ({text.thisBrowser})</Show>
                  <span class="note">
                    <bdi>{about(device)}</bdi>
                  </span>
                  <Show when={device.trouble}>
                    <span class="error">
                      <bdi>{device.trouble}</bdi>
                    </span>
                  </Show>
                </span>
                <span class="acts">
                  <button type="button" class="quiet" disabled={isBusy()} onClick={() => remove(device)}>
                    {text.remove}
                    <span class="spoken"> {device.name}</span>
                  </button>
                </span>
              </li>
            )}
          </For>
        </ul>
        <p>
          <button type="button" disabled={isBusy()} onClick={test}>
            {text.test}
          </button>
        </p>
        <p role="status">{said()}</p>
      </Show>
    </section>
  );
}

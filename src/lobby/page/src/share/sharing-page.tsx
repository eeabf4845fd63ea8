/** Everything that this person shares. */

import { Show } from "solid-js";
import { go } from "../route";
import { text as common } from "../text-later";
import { Shares, useShares } from "./shares";
import { text } from "./text";

export function SharingPage() {
  const { all, error, revoke } = useShares();
  return (
    <main class="list sharing">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={common.back} title={common.back}>
          ‹
        </button>
        <h1>{text.sharing}</h1>
      </header>
      <p class="note">{text.sharingHint}</p>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={all.latest}>{(all) => <Shares all={all()} showNames revoke={revoke} />}</Show>
    </main>
  );
}

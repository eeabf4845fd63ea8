/** The settings: each section is a part of its own. */

import { Show } from "solid-js";
import { Notifications } from "./attention/notifications";
import { base } from "./base";
import { Spares } from "./new-session/spares";
import { go } from "./route";
import { text } from "./text";
import { text as later } from "./text-later";
import "./settings-page.css";

export function SettingsPage() {
  return (
    <main class="list settings">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={later.back} title={later.back}>
          ‹
        </button>
        <h1>{text.settings}</h1>
      </header>
      <Show when={!base}>
        <Notifications />
        <Spares />
      </Show>
    </main>
  );
}

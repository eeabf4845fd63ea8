/** The page: the list, and one session's terminal. */

import { render } from "solid-js/web";
import { api } from "./api";
import { App } from "./app";
import { base } from "./base";
import { loadLanguage } from "./language";
import { loaded } from "./later";
import { loadWhenIdle } from "./preload";
import { isLink } from "./route";
import { follow } from "./sessions";
import { states, text } from "./text";
import "./style.css";

/** How many changes of state are announced together. */
const SAID_AT_ONCE = 4;

/** The link's secret is in the fragment, which no server and no log sees; it is of use once. */
async function logIn(): Promise<void> {
  const link = location.hash.slice(1);
  if (isLink) return; // the secret of a conversation
  if (!/^[0-9a-f]{32}$/.test(link)) return;
  history.replaceState(null, "", location.pathname);
  await api.logIn(link).catch(() => undefined); // the list says whether this browser is logged in
}

const root = document.getElementById("root");
if (root) {
  await loadLanguage();
  render(() => <App />, root);
  await logIn();
  if (!isLink) {
    follow((changed) => {
      const said = changed.slice(0, SAID_AT_ONCE).map((session) => text.changed(session.title ?? session.name, states[session.state]));
      if (changed.length > said.length) said.push(text.andMore(changed.length - said.length));
      return said.join(". ");
    });
    loadWhenIdle();
    if (matchMedia("(pointer: coarse)").matches) void loaded(() => import("./phone/touch"));
    if (!base) void loaded(() => import("./attention/presence")).then((presence) => presence.attend());
  }
}

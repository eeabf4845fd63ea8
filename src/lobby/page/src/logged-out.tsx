/** What is shown to one who may not use the lobby, or not any more: what to do, by how one logs in here. */

import { Match, Switch } from "solid-js";
import { sharedBy } from "./base";
import { door, line } from "./line";
import { lines, text } from "./text";

const cut = sharedBy ? text.notShared : lines.cut;

export function LoggedOut() {
  return (
    <main class="notice">
      <h1>{text.title}</h1>
      <p>{line() === "cut" ? cut.what : lines["logged out"].what}</p>
      <Switch fallback={<p>{text.openAdvice}</p>}>
        <Match when={line() === "cut"}>
          <p>{cut.advice}</p>
        </Match>
        <Match when={door().log_in}>
          {(path) => (
            <p>
              <a class="button" href={path().startsWith("/") && !path().startsWith("//") ? path() : "/login"}>
                {text.logIn}
              </a>
            </p>
          )}
        </Match>
        <Match when={door().mode === "link"}>
          <p>{text.linkAdvice}</p>
        </Match>
        <Match when={door().mode === "proxy"}>
          <p>{text.proxyAdvice}</p>
        </Match>
      </Switch>
    </main>
  );
}

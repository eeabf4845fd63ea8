/** The browsers that are logged in: each can be logged out. */

import { For, Show, createResource, createSignal } from "solid-js";
import { api } from "./api";
import { setLine } from "./line";
import { go } from "./route";
import { moment } from "./text";
import { text } from "./text-later";

export function Logins() {
  const [error, setError] = createSignal("");
  const [logins, { refetch }] = createResource(() =>
    api.logins().catch((failed: Error) => {
      setError(failed.message);
      return [];
    }),
  );
  const revoke = async (id: string): Promise<void> => {
    setError("");
    await api.revoke(id).catch((failed: Error) => setError(failed.message));
    await refetch();
  };
  const logOut = async (): Promise<void> => {
    // While it is still logged in.
    await import("./attention/subscription").then((loaded) => loaded.leave()).catch(() => undefined);
    await api.logOut().then(
      () => setLine("logged out"),
      (failed: Error) => setError(failed.message),
    );
  };
  return (
    <main class="list logins">
      <header>
        <button type="button" class="quiet" onClick={() => go("/")} aria-label={text.back} title={text.back}>
          ‹
        </button>
        <h1>{text.logins}</h1>
        <button type="button" onClick={logOut}>
          {text.logOut}
        </button>
      </header>
      <p class="note">{text.loginsHint}</p>
      <Show when={error()}>
        <p class="error" role="alert">
          {error()}
        </p>
      </Show>
      <Show when={logins.loading && !logins.latest}>
        <p class="empty">{text.loading}</p>
      </Show>
      <section>
        <ul aria-label={text.logins}>
          <For each={logins()}>
            {(login) => (
              <li>
                <span class="login">
                  <span class="name">
                    <bdi>{login.device}</bdi>
                  </span>
                  <Show when={login.current}> ({text.thisBrowser})</Show>
                  <span class="note">
                    {text.loggedIn} {moment(login.created)}, {text.used} {moment(login.used)}
                  </span>
                </span>
                <span class="acts">
                  <Show when={!login.current}>
                    <button type="button" class="quiet" onClick={() => revoke(login.id)}>
                      {text.revoke}
                      <span class="spoken"> {login.device}</span>
                    </button>
                  </Show>
                </span>
              </li>
            )}
          </For>
        </ul>
      </section>
    </main>
  );
}

/** The page as a whole: which part is shown, and what is said of the line and of who looks. */

import { Match, Show, Switch, createEffect, onCleanup } from "solid-js";
import { LoggedOut } from "./logged-out";
import { lookedAt, sharedBy } from "./base";
import { favicon } from "./favicon";
import { followFocus } from "./focus";
import { later } from "./later";
import { line, me } from "./line";
import { List } from "./list";
import { Overlay } from "./overlay";
import { registerAlways } from "./palette/always";
import { listen } from "./palette/commands";
import { SessionPage } from "./preload";
import { isAtAway, isAtLogins, isAtSearch, isAtSettings, isAtSharing, isAtTiles, isLink, opened, past, read, restored } from "./route";
import { announcement, count, find, isLoaded, place, trouble, watchers } from "./sessions";
import { settings } from "./settings";
import { lines, text } from "./text";

const TilesPage = later(() => import("./tiles/tiles-page").then((loaded) => loaded.TilesPage));
const Logins = later(() => import("./logins").then((loaded) => loaded.Logins));
const RestorePage = later(() => import("./restore/restore-page").then((loaded) => loaded.RestorePage));
const SettingsPage = later(() => import("./settings-page").then((loaded) => loaded.SettingsPage));
const AwayPage = later(() => import("./attention/away-page").then((loaded) => loaded.AwayPage));
const SharingPage = later(() => import("./share/sharing-page").then((loaded) => loaded.SharingPage));
const LinkPage = later(() => import("./share/link-page").then((loaded) => loaded.LinkPage));
/** Loaded when a conversation is read. */
const ConversationPage = later(() => import("./conversation/conversation-page").then((loaded) => loaded.ConversationPage));

const PastPage = later(() => import("./conversation/past-page").then((loaded) => loaded.PastPage));
const SearchPage = later(() => import("./search/search-page").then((loaded) => loaded.SearchPage));

export function App() {
  createEffect(() => {
    const id = opened() ?? read();
    const name = id ? (find(id)?.title ?? find(id)?.name) : place().host;
    const counts = count("waiting") > 0 ? `(${count("waiting")}) ` : "";
    const owner = lookedAt || sharedBy;
    const whose = owner ? `${owner}: ` : "";
    document.title = `${counts}${whose}${name ? `${name} - ` : ""}${text.title}`;
    favicon(count("waiting"), count("working"));
  });
  createEffect(() => {
    document.documentElement.dataset.theme = settings().theme;
  });
  followFocus();
  registerAlways();
  onCleanup(listen());
  return (
    <div class="page" classList={{ looking: lookedAt !== "", shared: sharedBy !== "" }}>
      <Show when={lookedAt || sharedBy}>
        <div class="looking-bar" role="alert">
          <p>
            <bdi>{sharedBy ? text.sharedBy(sharedBy) : text.youLookAt(me()?.actor ?? "", lookedAt)}</bdi>
          </p>
          <button type="button" onClick={() => location.assign("/")}>
            {text.stopLooking}
          </button>
        </div>
      </Show>
      <Show when={watchers().length > 0}>
        <p class="watched" role="status">
          <bdi>{text.somebodyLooks(watchers().join(", "))}</bdi>
        </p>
      </Show>
      <div class="content">
        <Switch>
          <Match when={isLink}>
            <LinkPage />
          </Match>
          <Match when={line() === "logged out" || (line() === "cut" && !isLoaded())}>
            <LoggedOut />
          </Match>
          <Match when={isAtTiles()}>
            <TilesPage />
          </Match>
          <Match when={isAtSharing()}>
            <SharingPage />
          </Match>
          <Match when={isAtLogins()}>
            <Logins />
          </Match>
          <Match when={restored() !== undefined}>
            <RestorePage />
          </Match>
          <Match when={isAtSettings()}>
            <SettingsPage />
          </Match>
          <Match when={isAtAway()}>
            <AwayPage />
          </Match>
          <Match when={isAtSearch()}>
            <SearchPage />
          </Match>
          <Match when={past()} keyed>
            {([, agent, id]) => <PastPage agent={agent!} id={id!} />}
          </Match>
          <Match when={read()} keyed>
            {(id) => <ConversationPage id={id} />}
          </Match>
          <Match when={opened()} keyed>
            {(id) => <SessionPage id={id} />}
          </Match>
          <Match when={true}>
            <List />
          </Match>
        </Switch>
      </div>
      <div class="stage" aria-hidden="true" inert />
      <Overlay />
      <Badge />
      <p class="spoken" aria-live="polite">
        {announcement()}
      </p>
    </div>
  );
}

/** What is wrong, and what to do; nothing if all is well. */
function Badge() {
  const said = () => {
    const now = line();
    if (now === "online") return trouble() ? { what: `${text.tmuxFails}: ${trouble()}`, advice: text.tmuxAdvice } : undefined;
    if (isLink || now === "logged out" || (now === "connecting" && !isLoaded())) return undefined;
    return now === "cut" && sharedBy ? text.notShared : lines[now];
  };
  return (
    <Show when={said()}>
      {(problem) => (
        <p class="badge" role="status" data-line={line()}>
          <strong>{problem().what}</strong> {problem().advice}
        </p>
      )}
    </Show>
  );
}

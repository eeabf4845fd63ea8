/** Images that a message names by their paths: each is shown when it is asked for. */

import { For, Show, createMemo, createSignal } from "solid-js";
import { addressOf, open } from "./fetching";
import { text } from "./text";

/** Of one message as many are offered. */
const MOST = 6;
const PATH = /(?:^|[\s"'`([])((?:~\/|\.{0,2}\/)?[^\s"'`()[\]<>]*[^\s"'`()[\]<>/]\.(?:png|jpe?g|gif|webp))(?![\w/])/gi;

export function NamedImages(props: { text: string; session: string }) {
  const paths = createMemo(() => {
    if (!/\.(png|jpe?g|gif|webp)/i.test(props.text)) return [];
    const found = Array.from(props.text.matchAll(PATH), (match) => match[1] ?? "");
    return [...new Set(found.filter((path) => path && !path.includes("://")))].slice(0, MOST);
  });
  return <For each={paths()}>{(path) => <Named path={path} session={props.session} />}</For>;
}

function Named(props: { path: string; session: string }) {
  const [address, setAddress] = createSignal("");
  const [error, setError] = createSignal("");
  const name = (): string => props.path.split("/").at(-1) ?? "";
  const show = async (): Promise<void> => {
    try {
      setAddress(addressOf(await open(props.session, props.path)));
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
  };
  return (
    <Show
      when={address()}
      fallback={
        <>
          <button type="button" class="quiet" onClick={show}>
            {text.showImage(name())}
          </button>
          <Show when={error()}>
            <span class="error" role="alert">
              {error()}
            </span>
          </Show>
        </>
      }
    >
      <img src={address()} alt={text.image(name())} onError={() => setAddress("")} />
    </Show>
  );
}

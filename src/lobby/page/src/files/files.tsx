/** Files of a session: pasted, dropped or chosen ones are uploaded, and others fetched. */

import { For, Show, createSignal, onCleanup, onMount } from "solid-js";
import { Portal } from "solid-js/web";
import { announce } from "../sessions";
import { bytes } from "../text";
import { Chooser } from "./chooser";
import { text } from "./text";
import { Upload } from "./uploading";
import "./files.css";

interface FilesProps {
  id: string;
  /** Where files are pasted and dropped. */
  target: HTMLElement;
  /** Puts the path of an uploaded file where one writes. */
  insert(path: string): void;
}

/** A path as a shell takes it for one word. */
const quoted = (path: string): string => (/^[\p{L}\p{N}\p{M}_@%+=:,./-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

export function Files(props: FilesProps) {
  let input!: HTMLInputElement;
  let menu!: HTMLDetailsElement;
  const [uploads, setUploads] = createSignal<Upload[]>([]);
  const [isOver, setOver] = createSignal(false);
  const [isChoosing, setChoosing] = createSignal(false);
  const upload = (files: Iterable<File>): void => {
    const done = (path: string): void => {
      announce(text.done(path));
      props.insert(`${quoted(path)} `);
    };
    const added = Array.from(files, (file) => new Upload(props.id, file, done));
    setUploads((all) => [...all, ...added]);
  };
  const drop = (gone: Upload): void => {
    gone.cancel();
    setUploads((all) => all.filter((one) => one !== gone));
  };
  onMount(() => {
    const { target } = props;
    // Text that was copied with an image of itself is pasted as text.
    const paste = (event: ClipboardEvent): void => {
      const data = event.clipboardData;
      if (!data || data.files.length === 0 || data.types.includes("text/plain")) return;
      event.preventDefault();
      event.stopPropagation();
      upload(data.files);
    };
    const isFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (!isFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!(event.relatedTarget instanceof Node) || !target.contains(event.relatedTarget)) setOver(false);
    };
    const dropped = (event: DragEvent): void => {
      setOver(false);
      if (!isFiles(event)) return;
      event.preventDefault();
      upload(event.dataTransfer?.files ?? []);
    };
    target.addEventListener("paste", paste, true);
    target.addEventListener("dragover", over);
    target.addEventListener("dragleave", leave);
    target.addEventListener("drop", dropped);
    onCleanup(() => {
      target.removeEventListener("paste", paste, true);
      target.removeEventListener("dragover", over);
      target.removeEventListener("dragleave", leave);
      target.removeEventListener("drop", dropped);
    });
  });
  onCleanup(() => {
    for (const one of uploads()) if (one.state() !== "done") one.cancel();
  });
  return (
    <>
      <details class="menu files" ref={menu}>
        <summary>{text.files}</summary>
        <div>
          <button
            type="button"
            onClick={() => {
              menu.open = false;
              input.click();
            }}
          >
            {text.upload}
          </button>
          <button
            type="button"
            onClick={() => {
              menu.open = false;
              setChoosing(true);
            }}
          >
            {text.download}
          </button>
        </div>
      </details>
      <input
        ref={input}
        class="file-input"
        type="file"
        multiple
        hidden
        aria-label={text.upload}
        onChange={() => {
          upload(input.files ?? []);
          input.value = "";
        }}
      />
      <Show when={isOver()}>
        <p class="drop-here">{text.drop}</p>
      </Show>
      <Show when={uploads().length > 0}>
        <ul class="uploads" aria-label={text.uploads}>
          <For each={uploads()}>{(one) => <Row upload={one} close={() => drop(one)} />}</For>
        </ul>
      </Show>
      <Show when={isChoosing()}>
        <Portal>
          <Chooser id={props.id} close={() => setChoosing(false)} />
        </Portal>
      </Show>
    </>
  );
}

function Row(props: { upload: Upload; close(): void }) {
  const one = props.upload;
  const said = (): string => {
    switch (one.state()) {
      case "waiting":
        return text.waiting;
      case "running":
        return text.progress(bytes(one.taken()), bytes(one.size));
      case "broken":
        return text.broken;
      case "done":
        return text.done(one.why());
      case "failed":
        return one.why();
    }
  };
  const isOver = (): boolean => one.state() === "done" || one.state() === "failed";
  return (
    <li data-state={one.state()}>
      <bdi>{one.name}</bdi>
      <span classList={{ note: one.state() !== "failed", error: one.state() === "failed" }} role={one.state() === "failed" ? "alert" : undefined}>
        <bdi>{said()}</bdi>
      </span>
      <Show when={one.state() === "running"}>
        <progress max={one.size || 1} value={one.taken()} aria-label={text.of(one.name)} />
      </Show>
      <button type="button" class="quiet" onClick={() => props.close()}>
        {isOver() ? text.dismiss : text.cancel}
        <span class="spoken"> {text.of(one.name)}</span>
      </button>
    </li>
  );
}

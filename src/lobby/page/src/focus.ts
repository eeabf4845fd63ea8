/**
 * Where the focus goes when another part of the page is shown: a session's row after that session, else what the part is
 * headed with, unless it takes the focus itself. Screen readers read on from there, and Tab goes on from there.
 */

import { createEffect, on } from "solid-js";
import { path } from "./route";

/** How often a part that is still loaded is looked for: once for each picture that is drawn. */
const TRIES = 300;

export function followFocus(): void {
  createEffect(
    on(
      path,
      (now, before) => {
        const from = /\/session\/(\w+)/.exec(before ?? "")?.[1];
        let tries = TRIES;
        const look = (): void => {
          if (path() !== now || document.activeElement !== document.body) return;
          const row = from && document.querySelector<HTMLElement>(`li[data-session="${from}"] > a`);
          const target = row || document.querySelector<HTMLElement>("main:not([aria-busy=true]) h1");
          if (!target) {
            if (tries-- > 0) requestAnimationFrame(look);
            return;
          }
          if (!row) target.tabIndex = -1;
          target.focus();
        };
        requestAnimationFrame(look);
      },
      { defer: true },
    ),
  );
}

/** Gives the focus back to what has it now, when what asks for it is taken away with the focus in it. */
export function focusBack(): () => void {
  const before = document.activeElement;
  return () =>
    queueMicrotask(() => {
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus();
    });
}

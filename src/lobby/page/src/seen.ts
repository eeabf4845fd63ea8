/** Whether the page is seen: terminals of one that is hidden for a while are closed, and take no memory. */

import { createSignal } from "solid-js";

/** How long a page may be hidden before it gives its terminals up, in milliseconds. */
const PATIENCE = 60_000;

const [isSeen, setSeen] = createSignal(true);
let timer: number | undefined;

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) timer = window.setTimeout(() => setSeen(false), PATIENCE);
  else setSeen(true);
});

export { isSeen };

/** The session that commands are for: the one whose row was asked for, else the one that is open. */

import { createSignal } from "solid-js";
import { opened, read } from "../route";
import { type Session, find } from "../sessions";

const [asked, setTarget] = createSignal("");

export { setTarget };

export function target(): Session | undefined {
  const id = asked() || opened() || read();
  return id ? find(id) : undefined;
}

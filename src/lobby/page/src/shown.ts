/** Which dialog is shown, over whatever part of the page. */

import { createSignal } from "solid-js";
import type { Session } from "./sessions";

export type Shown =
  | { kind: "new" }
  | { kind: "look" }
  | { kind: "palette"; session?: string; tiles?: true }
  | { kind: "group"; group?: string; session?: string }
  | { kind: "help" }
  | { kind: "rename"; session: Session }
  | { kind: "share"; session: Session }
  | { kind: "restore"; keys: string[] };

const [shown, show] = createSignal<Shown | undefined>();

export { show, shown };

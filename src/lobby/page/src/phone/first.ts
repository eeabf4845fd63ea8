/** What a session is opened as: on a narrow screen that is touched, one with an agent as text, unless the person chose otherwise. */

import type { Session } from "../sessions";
import { settings } from "../settings";

const narrow = matchMedia("(pointer: coarse) and (max-width: 40rem)");

/** Whether agents' sessions are opened as text. */
export const isTextFirst = (): boolean => settings().textFirst ?? narrow.matches;

/** Where a session is opened. */
export const addressOf = (session: Session): string =>
  `/session/${session.id}${session.agent && isTextFirst() ? "/text" : ""}`;

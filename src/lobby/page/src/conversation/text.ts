/** Texts of conversations that are read without their session. */

import { translated } from "../language";

export const text = {
  past: "past conversation",
  untitled: "without a title",
  resume: "Open in a new session",
  resuming: "Opening…",
  toSession: "Open its session",
  later: "Later",
  back: "Back",
};

translated("conversation", { text });

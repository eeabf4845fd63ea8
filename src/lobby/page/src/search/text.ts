/** Texts of the search. */

import { translated } from "../language";

export const text = {
  title: "Search in all conversations",
  label: "Words in prompts and answers",
  hint: 'All words must be in one message. Words between "quotes" must follow each other. What tools did is not searched.',
  reading: (files: number, of: number, share: number) => `Reading: ${files} of ${of} conversations, ${share} %. What is found so far is below.`,
  trouble: (why: string) => `Not all conversations can be found: ${why}`,
  found: (conversations: number, messages: number) =>
    `${messages} ${messages === 1 ? "message" : "messages"} in ${conversations} ${conversations === 1 ? "conversation" : "conversations"}`,
  none: "No message has these words.",
  noneYet: "Nothing was found yet.",
  past: "past conversation",
  inSession: (name: string) => `session ${name}`,
  untitled: "without a title",
  prompt: "You",
  more: "More conversations",
  further: (count: number) => `${count} more`,
  watching: "Only their user searches conversations.",
  disconnected: "Connecting…",
  back: "Back to the list",
};

translated("search", { text });

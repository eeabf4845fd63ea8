/** The texts of what is shared. */

import { translated } from "../language";

export const text = {
  title: (name: string) => `Share ${name}`,
  close: "Close",
  withPerson: "With a person of this host",
  noPeople: "No one else may use this lobby.",
  person: "Person",
  may: "May",
  watch: "watch",
  drive: "watch and type",
  driveWarning:
    "Who types does so as you: by a shell or by the keys of tmux they reach your other sessions, your files and whatever you may do on this host. Share so only with people you would give your keyboard.",
  watchHint: "They see this session's screen and its conversation, and can type nothing.",
  lasts: "For",
  hours: (count: number) => (count < 24 ? `${count} ${count === 1 ? "hour" : "hours"}` : days(count / 24)),
  days: (count: number) => days(count),
  share: "Share",
  byLink: "By a link to the conversation's text",
  linkHint: "Who has the link reads this conversation, also what is said in it later, and nothing else. A later conversation of the session is not shown.",
  viewers: "Most people",
  makeLink: "Make a link",
  linkMade: "The link. It is shown only now:",
  copyLink: "Copy",
  copied: "Copied.",
  noConversation: "No conversation is known in this session.",
  shared: "Shared now",
  nothing: "Nothing is shared.",
  sharing: "Sharing",
  sharingHint: "What other people may see of your sessions.",
  people: "People",
  links: "Links",
  since: (when: string) => `since ${when}`,
  until: (when: string) => `until ${when}`,
  looking: (count: number) => (count === 0 ? "no one looks now" : `open in ${count} ${count === 1 ? "page" : "pages"} now`),
  viewed: (viewers: number, most: number, last: string) => `${viewers} of ${most} people${last ? `, last opened ${last}` : ""}`,
  revoke: "Revoke",
  revoked: "Revoked.",
  group: (owner: string) => `Shared by ${owner}`,
  mayType: "you may type",
  youWatch: "you watch",
  here: "Here now:",
  drives: (name: string) => `${name} types`,
  someone: "someone with a link",
  handOver: (name: string) => `Hand over to ${name}`,
  link: "A conversation",
  linkReadOnly: "You read a conversation that was shared by a link.",
  noSecret: "This link is not complete.",
  logIn: "Log in",
};

function days(count: number): string {
  return `${count} ${count === 1 ? "day" : "days"}`;
}

translated("share", { text });

/** The texts of notifications and of what happened while the person was away. Those of a notification itself are in sw.js. */

import { translated } from "../language";

export const text = {
  back: "Back to the list",
  notifications: "Notifications",
  hint: "The lobby can notify this browser when a session waits for you, is done, or was lost, also while no page is open.",
  once: "It waits five seconds first, sends one for each session, and none of what you look at.",
  insecure: "The browser allows notifications only over https, or at 127.0.0.1. This page came another way.",
  unsupported: "This browser has no notifications.",
  onPhone: "On an iPhone or iPad, add the lobby to the home screen and open it from there.",
  denied: "Notifications of this page are blocked in the browser. Allow them in its settings for this page, and reload.",
  notAllowed: "The browser did not allow it.",
  turnOn: "Notify this browser",
  turningOn: "The browser subscribes…",
  on: "This browser is notified.",
  off: "This browser is not notified.",
  fails: (why: string) => `The browser could not subscribe: ${why}`,
  muteAll: "Mute all sessions",
  muteHint: "Single sessions are muted in their row of the list.",
  devices: "Browsers that are notified",
  noDevices: "None yet.",
  thisBrowser: "this browser",
  since: (when: string) => `since ${when}`,
  reached: (when: string) => `last notified ${when}`,
  by: (service: string) => `by ${service}`,
  remove: "Remove",
  test: "Send a test",
  tested: (count: number) => (count === 1 ? "One browser was notified." : `${count} browsers were notified.`),
  testFailed: (why: string) => `One was not: ${why}`,
  away: "While you were away",
  awaySince: (when: string) => `Since ${when}. It counts as seen now.`,
  nothing: "Nothing happened.",
  happened: "What happened",
  more: (count: number) => `${count} earlier ones are in 'persist events'.`,
  waits: "What waits for you",
  gone: "What is no longer there",
  loading: "Loading…",
};

translated("attention", { text });

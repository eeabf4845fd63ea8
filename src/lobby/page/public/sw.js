// Shows notifications, and leads from them to their session. It takes no requests of the page: there is no `fetch` handler,
// so that no old page is kept.

/** Every text of a notification. A message has data alone: see src/lobby/attention/message.rs. */
const TEXT = {
  waiting: (name) => `${name} waits for you`,
  idle: (name) => `${name} is done`,
  shell: (name) => `The agent of ${name} has ended`,
  lost: (name) => `${name} is lost`,
  test: () => "Notifications work",
  other: () => "Something has changed in the lobby",
};

addEventListener("install", () => void skipWaiting());

/** What a message says; `{}` if it is none. */
function read(data) {
  try {
    const said = data?.json();
    return said && typeof said === "object" ? said : {};
  } catch {
    return {};
  }
}

const isText = (value) => typeof value === "string" && value.length < 1000;

async function show(said) {
  const tag = /^[0-9a-f]{16}$/.test(said.session) ? said.session : "lobby";
  const open = new Set(Array.isArray(said.open) ? said.open : []);
  const shown = await registration.getNotifications();
  for (const notification of shown) {
    // What it says is no longer so.
    if (notification.tag !== tag && notification.tag !== "lobby" && !open.has(notification.tag)) notification.close();
  }
  const text = Object.hasOwn(TEXT, said.state) ? TEXT[said.state] : TEXT.other;
  const again = shown.some((notification) => notification.tag === tag && notification.data?.at === said.at);
  await registration.showNotification(text(isText(said.name) ? said.name : ""), {
    tag,
    body: [said.waiting_for, said.title].filter(isText).join("\n"),
    data: { session: tag === "lobby" ? "" : tag, at: said.at, state: said.state, agent: said.agent === true },
    icon: "/icon-192.png",
    // A message that comes twice makes no second sound.
    renotify: !again,
  });
}

addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

/** Where a notification leads: on a phone an agent's session is read as text first. */
function pathOf({ session, agent }) {
  if (!session) return "/";
  const isPhone = navigator.userAgentData?.mobile ?? /Android|iPhone|iPad|Mobile/.test(navigator.userAgent);
  return `/session/${session}${isPhone && agent ? "/text" : ""}`;
}

async function open(path) {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  // Not a page in which an admin looks at another user's lobby.
  const own = pages.filter((page) => !new URL(page.url).pathname.startsWith("/as/"));
  const page = own.find((page) => path !== "/" && new URL(page.url).pathname.startsWith(path)) ?? own[0];
  if (!page) {
    await clients.openWindow(path);
    return;
  }
  page.postMessage({ type: "open", path });
  await page.focus().catch(() => undefined);
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(pathOf(event.notification.data ?? {})));
});

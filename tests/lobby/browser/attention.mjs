// Notifications, what happened while away, and what is unread, in a browser. Chromium without a window has no push
// service: messages are delivered through its DevTools. The arguments: the record of `orders`' agent, and of `persist`'s events.
import { readFile, rename, writeFile, appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page, context, url, arguments: [record, events, phone] }) => {
  const origin = new URL(url).origin;
  await row(page, "orders").waitFor();
  const id = await row(page, "orders").getAttribute("data-session");
  /** Has the agent of `orders` be in a state. */
  const set = async (status) => {
    const known = JSON.parse(await readFile(record, "utf8"));
    const waitingFor = status === "waiting" ? { waitingFor: "permission prompt" } : {};
    await writeFile(`${record}.new`, JSON.stringify({ ...known, status, statusUpdatedAt: Date.now(), ...waitingFor }));
    await rename(`${record}.new`, record);
  };

  // What was so before the person's first look is not new.
  await until("the first look is noted", async () => {
    const kept = await readFile(join(dirname(events), "lobby/attention.json"), "utf8").catch(() => "{}");
    return JSON.parse(kept).since > 0;
  });

  // Unread, until it is opened.
  await set("waiting");
  await row(page, "orders").locator('.state[data-state="waiting"]').waitFor();
  await row(page, "orders").locator(".unread").waitFor();
  await until("the title counts it", async () => (await page.title()).startsWith("(1) "));
  await until("the icon counts it", async () => (await page.locator('link[rel="icon"]').getAttribute("href")).startsWith("data:"));
  await accessible(page);
  await row(page, "orders").getByRole("link").click();
  await page.locator(phone ? ".conversation" : ".xterm-screen").waitFor();
  await page.getByRole("button", { name: "Back to the list" }).click();
  await row(page, "orders").waitFor();
  await until("it was read", async () => (await row(page, "orders").locator(".unread").count()) === 0);

  // Muted, in another tab, too.
  await row(page, "orders").getByRole("button", { name: "Mute" }).click();
  const other = await context.newPage();
  await other.goto(`${origin}/`);
  await row(other, "orders").locator('button[aria-pressed="true"]').waitFor();
  await until("it was read there, too", async () => (await row(other, "orders").locator(".unread").count()) === 0);
  await other.close();

  // The settings: the browser may not be asked before a click, and says what is wrong.
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Notifications" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/settings");
  await page.getByText("This browser is not notified.").waitFor();
  await accessible(page);
  assert.equal(await page.evaluate(() => navigator.serviceWorker.getRegistration("/").then((found) => found?.scope ?? "none")), "none");
  await context.grantPermissions(["notifications"], { origin });
  await page.getByRole("button", { name: "Notify this browser" }).click();
  await page.getByText("The browser could not subscribe").waitFor();
  await accessible(page);
  const answer = await page.request.get(`${origin}/sw.js`);
  assert.equal(answer.headers()["cache-control"], "no-cache");
  assert.ok(!/addEventListener\("fetch"/.test(await answer.text()), "it takes no requests of the page");
  assert.equal((await page.request.get(`${origin}/as/bob/sw.js`)).status(), 404);

  // A message is shown, once for each session, and what is no longer so is closed.
  const devtools = await context.newCDPSession(page);
  const registration = new Promise((found) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && found(registrations[0].registrationId));
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registration;
  const deliver = (data) => devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
  // Chromium without a window forgets at times what it shows, so what it is to show is noted in its place.
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  await worker.evaluate(() => {
    self.noted = [];
    const drop = (tag) => void (self.noted = self.noted.filter((one) => one.tag !== tag));
    registration.showNotification = async (title, options) => {
      drop(options.tag);
      self.noted.push({ title, ...options, close: () => drop(options.tag) });
    };
    registration.getNotifications = async () => [...self.noted];
  });
  if (phone) await worker.evaluate(() => void Object.defineProperty(navigator, "userAgentData", { value: { mobile: true } }));
  const shown = () => worker.evaluate(() => self.noted.map(({ title, tag, body }) => `${tag} ${title}: ${body}`));
  const message = (session, more) =>
    JSON.stringify({ session, state: "waiting", name: "orders", title: "Fix it", waiting_for: "permission prompt", agent: true, at: 1, open: [session], ...more });
  await deliver(message(id));
  const own = `${id} orders waits for you: permission prompt\nFix it`;
  await until("it is shown", async () => (await shown()).join() === own);
  await deliver(message(id, { state: "idle", at: 2 }));
  await until("a later one takes its place", async () => (await shown()).join().startsWith(`${id} orders is done`));
  await deliver(message("f".repeat(16), { name: "<b>x</b>", open: ["f".repeat(16)] }));
  await until("what is no longer so is closed", async () => (await shown()).join().startsWith("ffffffffffffffff <b>x</b> waits"));
  for (const nonsense of ["", "nonsense", "null", "[1]", '{"state":"toString","session":{"a":1},"open":5,"name":7}']) {
    await deliver(nonsense);
    await until(`${nonsense} is shown as something`, async () => (await shown()).some((text) => text.startsWith("lobby Something")));
  }

  // A click leads to the session in the page that is there.
  const click = async (session) => {
    await deliver(message(session, { at: 3 }));
    await until("it is shown", async () => (await shown()).some((text) => text.startsWith(session)));
    await worker.evaluate((session) => {
      const event = new Event("notificationclick");
      event.notification = self.noted.find((one) => one.tag === session);
      event.waitUntil = () => undefined;
      dispatchEvent(event);
    }, session);
  };
  await click(id);
  await until("the session is open", () => new URL(page.url()).pathname === (phone ? `/session/${id}/text` : `/session/${id}`));
  await until("its notification is closed", async () => !(await shown()).some((text) => text.startsWith(id)));

  // What happened while away.
  await page.goto(`${origin}/`);
  await row(page, "orders").waitFor();
  assert.equal(await page.getByText("while you were away").count(), 0);
  await until("the visit is known", async () => (await page.request.get(`${origin}/api/away`).then((answer) => answer.json())).seen > 0);
  await page.goto("about:blank");
  await new Promise((resolve) => setTimeout(resolve, 1100)); // these times are in seconds
  const time = Math.floor(Date.now() / 1000);
  await appendFile(events, `${time}\tdeath\torders\t3\tclaude\t-\tcrash\t-\t-\n`);
  await set("busy");
  await page.goto(`${origin}/`);
  await page.getByRole("link", { name: "1 thing happened while you were away" }).click();
  await page.getByText("claude in session 'orders' (pane %3) ended and was not closed: it crashed").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Back to the list" }).click();
  await row(page, "orders").waitFor();
  await until("it is seen", async () => (await page.getByText("while you were away").count()) === 0);
}, { phone: process.argv[5] === "phone" });

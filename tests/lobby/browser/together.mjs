// Two people of one host in two browsers: bob shares a session with ann, who watches, types and gives it back, until
// it is revoked. The first argument is the gateway's port, the second the login proxy's secret.

import { chromium } from "playwright-core";
import { accessible, assert, row, shows, until } from "./page.mjs";
import { loginProxy } from "./login-proxy.mjs";

const [port, secret] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const proxies = [];

async function person(name, viewport) {
  const proxy = await loginProxy(port, { "x-user": `${name}@example.org`, "x-lobby-secret": secret });
  proxies.push(proxy);
  const context = await browser.newContext({ viewport: viewport ?? { width: 1280, height: 800 } });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(proxy.url);
  await page.getByRole("heading").first().waitFor();
  return { page, url: proxy.url };
}

const pages = [];
try {
  const bob = await person("bob");
  const ann = await person("ann");
  pages.push(bob.page, ann.page);
  const group = ann.page.getByRole("list", { name: "Shared by bob" });
  await row(ann.page, "of-ann").waitFor();
  assert.equal(await group.count(), 0);

  // Bob shares, by the session's menu; the dialog says what typing means.
  await row(bob.page, "open").getByRole("link").click();
  await shows(bob.page, /[$#]/);
  await bob.page.getByText("View", { exact: true }).click();
  await bob.page.getByRole("button", { name: "Share…" }).click();
  const dialog = bob.page.getByRole("dialog", { name: "Share open" });
  await dialog.getByRole("combobox", { name: "Person" }).waitFor();
  assert.deepEqual(await dialog.getByRole("combobox", { name: "Person" }).locator("option").allInnerTexts(), ["ann"]);
  await dialog.getByRole("combobox", { name: "May" }).selectOption("watch and type");
  await dialog.getByText("as you").first().waitFor();
  await accessible(bob.page);
  await dialog.getByRole("button", { name: "Share", exact: true }).click();
  await dialog.getByRole("listitem").filter({ hasText: "ann" }).waitFor();
  await accessible(bob.page);
  await dialog.getByRole("button", { name: "Close" }).click();

  // It is in ann's list by itself, in a group of bob's; opening it leads to a frame that names bob.
  await group.getByRole("link").filter({ hasText: "open" }).waitFor();
  assert.equal(await group.getByRole("listitem").count(), 1);
  await accessible(ann.page);
  await group.getByRole("link").click();
  await ann.page.getByRole("alert").filter({ hasText: "Shared with you by bob" }).waitFor();
  await ann.page.getByText("You watch.").waitFor();
  await shows(ann.page, /[$#]/);
  await accessible(ann.page);
  // Both see who is here.
  await ann.page.locator(".person", { hasText: "bob types" }).waitFor();
  await bob.page.locator(".person", { hasText: "ann" }).waitFor();
  // Ann's page offers nothing that is not shared.
  for (const name of ["Share…", "Rename", "End"]) assert.equal(await ann.page.getByRole("button", { name }).count(), 0, name);

  // Bob hands it over: ann types. A click gives it back.
  await bob.page.getByRole("button", { name: "Hand over to ann" }).click();
  await ann.page.getByText("bob gave you the keyboard").first().waitFor();
  await bob.page.getByRole("button", { name: "Take over" }).waitFor();
  await bob.page.locator(".person", { hasText: "ann types" }).waitFor();
  await ann.page.keyboard.type("echo by-ann-$((6*7))\n");
  await shows(bob.page, "by-ann-42");
  await bob.page.getByRole("button", { name: "Take over" }).click();
  await ann.page.getByRole("button", { name: "Take over" }).waitFor();
  await bob.page.keyboard.type("echo by-bob-$((6*7))\n");
  await shows(ann.page, "by-bob-42");
  // Ann takes over herself, too.
  await ann.page.getByRole("button", { name: "Take over" }).click();
  await bob.page.getByRole("button", { name: "Take over" }).waitFor();

  // The page of everything that bob shares; by the keyboard alone, and on a phone.
  await bob.page.goto(`${bob.url}/sharing`);
  const shared = bob.page.getByRole("listitem").filter({ hasText: "ann" });
  await shared.filter({ hasText: "open in 1 page now" }).waitFor();
  await accessible(bob.page);
  await bob.page.setViewportSize({ width: 390, height: 844 });
  assert.equal(await bob.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await shared.getByRole("button", { name: /Revoke/ }).focus();
  const begin = Date.now();
  await bob.page.keyboard.press("Enter");
  await ann.page.getByRole("alert").filter({ hasText: "not shared any more" }).waitFor();
  assert.ok(Date.now() - begin < 1500, `${Date.now() - begin} ms`);
  await bob.page.getByText("Nothing is shared.").waitFor();
  await ann.page.getByText("Nothing is shared with you here.").waitFor();
  await accessible(ann.page);
  await ann.page.getByRole("button", { name: "Back to my own" }).click();
  await row(ann.page, "of-ann").waitFor();
  await until("the group is gone", async () => (await group.count()) === 0);
} catch (failed) {
  for (const page of pages) console.error(`${page.url()} shows:\n${await page.locator("body").innerText()}`);
  throw failed;
} finally {
  await browser.close();
  for (const proxy of proxies) proxy.close();
}

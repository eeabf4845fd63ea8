// Sessions side by side: each types once the person is in it, and none takes the keyboard from another device by itself.
import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page, context, url }) => {
  const home = new URL("/", url).href;
  const tile = (one, name) => one.getByRole("region", { name, exact: true });
  const shown = (one, name) => tile(one, name).locator(".xterm-accessibility-tree");
  const shows = (one, name, text) => shown(one, name).filter({ hasText: text }).waitFor();
  const drives = (one, name, is) => until(`${name} types: ${is}`, async () => (await tile(one, name).getAttribute("data-drives")) === String(is));

  // From a row, and from the page itself.
  await row(page, "alpha").getByRole("button", { name: "More" }).click();
  await page.getByRole("option", { name: "Show alpha beside others" }).click();
  await page.waitForURL(/\/tiles$/);
  await shows(page, "alpha", /[$#]/);
  await page.getByRole("button", { name: "Add a session…" }).click();
  await page.keyboard.type("bet");
  await page.getByRole("option", { name: /^beta/ }).waitFor();
  await page.keyboard.press("Enter");
  await shows(page, "beta", /[$#]/);
  await drives(page, "beta", false);

  // By the keyboard from one to the other.
  await tile(page, "alpha").locator(".xterm-screen").click();
  await drives(page, "alpha", true);
  await page.keyboard.type("echo in-$((40+2))-alpha\n");
  await shows(page, "alpha", "in-42-alpha");
  await page.keyboard.press("Control+Shift+ArrowRight");
  await drives(page, "beta", true);
  await page.keyboard.type("echo in-$((40+2))-beta\n");
  await shows(page, "beta", "in-42-beta");
  assert.doesNotMatch(await shown(page, "alpha").textContent(), /in-42-beta/);
  await accessible(page);

  // What another device drives is not taken by going there.
  const cookies = { storageState: { cookies: await context.cookies(), origins: [] } };
  const other = await context.browser().newContext(cookies);
  const device = await other.newPage();
  await device.goto(home);
  await row(device, "gamma").getByRole("link").click();
  await device.locator(".xterm-accessibility-tree").filter({ hasText: /[$#]/ }).waitFor();
  await page.getByRole("button", { name: "Add a session…" }).click();
  await page.keyboard.type("gam");
  await page.getByRole("option", { name: /^gamma/ }).waitFor();
  await page.keyboard.press("Enter");
  await shows(page, "gamma", /[$#]/);
  await page.keyboard.press("Control+Shift+ArrowRight");
  await tile(page, "gamma").getByText("Others look at it, too.").waitFor();
  await tile(page, "gamma").locator("textarea").focus();
  await page.keyboard.type("lost");
  await device.keyboard.type("echo kept-$((40+2))\n");
  await shows(page, "gamma", "kept-42");
  assert.equal(await device.getByRole("button", { name: "Take over" }).count(), 0);
  assert.equal(await tile(page, "gamma").getAttribute("data-drives"), "false");
  assert.doesNotMatch(await shown(page, "gamma").textContent(), /lost/);
  await accessible(page);
  await tile(page, "gamma").getByRole("button", { name: "Type here gamma" }).click();
  await device.getByRole("button", { name: "Take over" }).waitFor();
  await page.keyboard.type("echo taken-$((40+2))\n");
  await shows(page, "gamma", "taken-42");

  // Edges by the keyboard and by the pointer; another tab has them, too.
  const width = async (one, name) => (await tile(one, name).boundingBox()).width;
  const before = await width(page, "alpha");
  await page.getByRole("separator").first().focus();
  for (let time = 0; time < 4; time += 1) await page.keyboard.press("ArrowRight");
  await until("alpha is wider", async () => (await width(page, "alpha")) > before + 60);
  const tab = await context.newPage();
  await tab.goto(new URL("/tiles", url).href);
  await until("it is in another tab", async () => Math.abs((await width(tab, "alpha")) - (await width(page, "alpha"))) < 4);
  await tab.close();
  await page.bringToFront();
  const edge = await page.getByRole("separator").nth(1).boundingBox();
  const wide = await width(page, "gamma");
  await page.mouse.move(edge.x + 5, edge.y + 200);
  await page.mouse.down();
  await page.mouse.move(edge.x - 95, edge.y + 200, { steps: 4 });
  await page.mouse.up();
  await until("gamma is wider", async () => (await width(page, "gamma")) > wide + 60);
  await page.getByRole("combobox", { name: "Arrangement" }).selectOption("grid");
  await until("two rows", async () => (await tile(page, "gamma").boundingBox()).y > 300);
  await accessible(page);

  // On a phone one at a time.
  const phone = await context.browser().newContext({ ...cookies, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const small = await phone.newPage();
  await small.goto(new URL("/tiles", url).href);
  await small.getByRole("button", { name: "beta", exact: true }).first().tap();
  await tile(small, "beta").waitFor();
  assert.equal(await small.locator(".tile").count(), 1);
  const widths = await small.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.equal(widths[0], widths[1], "nothing is wider than the screen");
  await accessible(small);

  // Taken out, everywhere.
  await tile(page, "beta").getByRole("button", { name: "Take beta out" }).click();
  await until("it is out", async () => (await small.getByRole("button", { name: "beta", exact: true }).count()) === 0);
  await phone.close();
  await other.close();
});

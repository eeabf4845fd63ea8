// Sessions are pinned, ordered and gathered by the pointer and by the keyboard; other tabs and other browsers have it, too.
import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page, context, url }) => {
  const home = new URL("/", url).href;
  const names = (one) => one.locator("li[data-session] .name").allTextContents();
  const shows = async (one, expected) => {
    await until(`the order is ${expected}`, async () => (await names(one)).join(" ") === expected).catch(async (failed) => {
      throw new Error(`${failed.message}; it is ${(await names(one)).join(" ")}`);
    });
  };
  // What a browser kept before is moved over, once.
  await row(page, "alpha").waitFor();
  const id = await row(page, "gamma").getAttribute("data-session");
  await page.evaluate((id) => localStorage.setItem("lobby", JSON.stringify({ pins: [id, "saved old"], grouped: false, fontSize: 15 })), id);
  await page.reload();
  await shows(page, "gamma alpha beta delta");
  await until("it is moved over", () => page.evaluate(() => JSON.parse(localStorage.getItem("lobby")).pins.length === 0));

  // Another tab.
  const tab = await context.newPage();
  await tab.goto(home);
  await shows(tab, "gamma alpha beta delta");
  await row(tab, "gamma").getByRole("button", { name: "Pin" }).click();
  await shows(page, "alpha beta delta gamma");

  // By the keyboard: the focus stays with the row.
  await row(page, "beta").getByRole("link").focus();
  await page.keyboard.press("Alt+ArrowUp");
  await shows(tab, "beta alpha delta gamma");
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Alt+ArrowDown");
  await shows(tab, "alpha delta beta gamma");
  await until("the focus is with it", () => row(page, "beta").getByRole("link").evaluate((element) => element === document.activeElement));
  // Both at once, of different things.
  await Promise.all([
    row(page, "delta").getByRole("button", { name: "Pin" }).click(),
    row(tab, "beta").getByRole("button", { name: "Pin" }).click(),
  ]);
  await shows(page, "delta beta alpha gamma");
  await shows(tab, "delta beta alpha gamma");

  // A group of one's own, with a hostile name, by the palette of a row.
  await row(page, "gamma").getByRole("button", { name: "More" }).click();
  await accessible(page);
  await page.getByRole("option", { name: "Put gamma into a new group…" }).click();
  await page.getByRole("textbox", { name: "Name of the group" }).fill("<b>Shop</b>");
  await accessible(page);
  await page.getByRole("button", { name: "Create" }).click();
  const group = (one) => one.locator("section").filter({ hasText: "<b>Shop</b>" });
  await group(tab).locator(".name", { hasText: "gamma" }).waitFor();
  assert.equal(await tab.locator("section b").count(), 0);
  // By the pointer into it, and above what is in it.
  await row(page, "alpha").getByRole("link").dragTo(group(page).locator("li").first(), { targetPosition: { x: 90, y: 4 } });
  await shows(tab, "delta beta alpha gamma");
  await until("alpha is in it", async () => (await group(tab).locator("li[data-session]").count()) === 2);
  await accessible(page);

  // Of a collapsed one only the title is shown, with how many are in it; a search finds all.
  await group(tab).getByRole("button", { name: "<b>Shop</b>" }).click();
  await shows(page, "delta beta");
  await page.getByRole("button", { name: "<b>Shop</b> (2)" }).waitFor();
  await page.getByRole("searchbox").fill("alph");
  await shows(page, "alpha");
  await page.getByRole("searchbox").fill("");

  // Another browser.
  const other = await context.browser().newContext({ storageState: { cookies: await context.cookies(), origins: [] } });
  const elsewhere = await other.newPage();
  await elsewhere.goto(home);
  await shows(elsewhere, "delta beta");
  await accessible(elsewhere);
  await elsewhere.keyboard.press("Control+k");
  await elsewhere.getByRole("combobox", { name: "Type a command or a session" }).waitFor();
  await elsewhere.keyboard.type("remove group");
  await elsewhere.keyboard.press("Enter");
  await shows(page, "delta beta alpha gamma");
  await until("there is no group", async () => (await group(page).count()) === 0);
  await elsewhere.keyboard.press("Control+k");
  await elsewhere.getByRole("combobox", { name: "Type a command or a session" }).waitFor();
  await elsewhere.keyboard.type("order need");
  await elsewhere.keyboard.press("Enter");
  await shows(page, "beta delta alpha gamma");
  await other.close();
});

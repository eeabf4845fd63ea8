// Names that hold markup, escapes and marks of direction are text, and nothing else.
import { accessible, assert, run, until } from "./page.mjs";

await run(async ({ page }) => {
  page.on("dialog", () => assert.fail("a name has run a script"));
  await until("all rows are there", async () => (await page.getByRole("listitem").count()) === 4);
  const text = await page.getByRole("list").innerText();
  assert.match(text, /<img src=x onerror=alert\(1\)>/);
  assert.match(text, /<script>alert\(2\)<\/script>/);
  assert.doesNotMatch(text, /[\u0000-\u0008\u001b\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  assert.equal(await page.locator("li img, li script, li b").count(), 0);
  await accessible(page);
  // As the title of a tab, in a dialog and as the head of a terminal.
  const hostile = page.getByRole("listitem").filter({ hasText: "<img" });
  await hostile.getByRole("button", { name: "Rename" }).click();
  assert.match(await page.getByRole("textbox", { name: "Name" }).inputValue(), /^<img/);
  await page.keyboard.press("Escape");
  await hostile.getByRole("link").click();
  await page.getByRole("heading", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  assert.match(await page.title(), /<img/);
  assert.equal(await page.locator("h1 img").count(), 0);
});

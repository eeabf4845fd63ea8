// The palette and the keys: by the keyboard alone, on the list and over a terminal.
import { accessible, assert, row, run, shows, until } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "alpha").waitFor();
  const input = page.getByRole("combobox", { name: "Type a command or a session" });
  const option = (name) => page.getByRole("option").filter({ hasText: name });
  const active = () => page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant") ?? "")?.textContent);

  // On the list, by Ctrl-K; the focus goes back to where it was.
  await row(page, "beta").getByRole("link").focus();
  await page.keyboard.press("Control+k");
  await input.waitFor();
  await until("the focus is in it", () => input.evaluate((element) => element === document.activeElement));
  await accessible(page);
  await page.keyboard.press("Escape");
  await until("the focus is back", () => row(page, "beta").getByRole("link").evaluate((element) => element === document.activeElement));

  // A session, by letters of its name and its directory; markup in a name is text.
  await page.keyboard.press("Control+Shift+P");
  await page.keyboard.type("<img");
  await until("it is found", async () => /^<img src=x onerror=alert\(1\)>/.test((await active()) ?? ""));
  assert.equal(await page.locator("dialog img").count(), 0);
  await input.fill("zzzz");
  await page.getByText("Nothing is found.").waitFor();
  await accessible(page);
  await input.fill("alp");
  await until("it is the first", async () => /^alpha/.test((await active()) ?? ""));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await shows(page, /[$#]/);

  // Over a terminal Ctrl-K is the terminal's, and so is `?`.
  await page.keyboard.type("echo kept-$((40+2))? gone");
  await page.keyboard.press("Control+b");
  await page.keyboard.press("Escape");
  assert.equal(await input.count(), 0);
  await page.keyboard.press("Control+u");
  await page.keyboard.type("echo why? > /dev/null; echo fine-$((40+2))\n");
  await shows(page, "fine-42");
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.keyboard.press("Control+Shift+P");
  await input.waitFor();
  await input.fill("rename");
  await until("what concerns this session is offered", async () => /^Rename alpha/.test((await active()) ?? ""));
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Name" }).fill("gamma");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "gamma" }).waitFor();
  await page.keyboard.press("Control+Shift+Space");
  await input.fill("end gamma");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Shift+P");
  await input.fill("not end");
  await option("Do not end gamma").waitFor();
  await page.keyboard.press("Enter");

  // The help, from the terminal, and from the list by `?`.
  await page.keyboard.press("Control+Shift+?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.getByText("Ctrl-Shift-P", { exact: true }).waitFor();
  await accessible(page);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Shift+K");
  await until("the search has the focus", () => page.getByRole("searchbox").evaluate((element) => element === document.activeElement));
  await page.keyboard.type("?");
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("searchbox").fill("");
  await row(page, "beta").getByRole("link").focus();
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");

  // The colours: those that were chosen, whatever the system has.
  await page.emulateMedia({ colorScheme: "light" });
  await page.keyboard.press("Control+k");
  await input.fill("dark");
  await page.keyboard.press("Enter");
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await until("it is dark", async () => (await back()) === "rgb(20, 23, 28)");
  await page.reload();
  await row(page, "beta").waitFor();
  assert.equal(await back(), "rgb(20, 23, 28)");
  await page.keyboard.press("Control+k");
  await input.fill("colours system");
  await page.keyboard.press("Enter");
  await until("it is light", async () => (await back()) !== "rgb(20, 23, 28)");
});

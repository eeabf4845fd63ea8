// A terminal is ready while the pointer rests on its row, counts as no viewer, and goes when the row is left.
import { assert, clickToScreen, row, run, shows, until } from "./page.mjs";

await run(async ({ page, context }) => {
  await row(page, "alpha").waitFor();
  const ready = page.locator(".stage .xterm");
  await row(page, "alpha").getByRole("link").hover();
  await ready.waitFor({ state: "attached" });
  await until("its screen is there", async () => /alpha/.test(await page.locator(".stage").textContent()));
  // A change that the list shows, so that what the client did to it would be shown, too.
  const other = await context.newPage();
  await other.goto(page.url());
  await row(other, "beta").getByRole("button", { name: "Rename" }).click();
  await other.getByRole("textbox", { name: "Name" }).fill("gamma");
  await other.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await row(page, "gamma").waitFor();
  assert.doesNotMatch(await row(page, "alpha").textContent(), /viewer/);
  await other.close();
  await page.bringToFront();

  await page.mouse.move(5, 5);
  await until("it is dropped", async () => (await ready.count()) === 0);

  await row(page, "alpha").getByRole("link").hover();
  await until("it is ready again", async () => /alpha/.test(await page.locator(".stage").textContent()));
  await row(page, "alpha").getByRole("link").click();
  assert.ok((await clickToScreen(page)) < 1000);
  await page.keyboard.type("echo typed-$((1+1)) $(tput cols)\n");
  await shows(page, /typed-2 1[0-9][0-9]/);
  await until("nothing is left behind", async () => (await ready.count()) === 0);
});

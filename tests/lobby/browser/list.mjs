// The list, a terminal, and what can be done to a session.
import { accessible, assert, row, run, shows, until } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "alpha").waitFor();
  await row(page, "beta").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the link's secret is no longer in the address");
  await accessible(page);

  // Search.
  await page.getByRole("searchbox").fill("bet");
  await until("alpha is not found", async () => (await row(page, "alpha").count()) === 0);
  await page.getByRole("searchbox").fill("");

  // Open, type, see.
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  await page.keyboard.type("echo seen-$((40+2))\n");
  await shows(page, "seen-42");
  const address = page.url();
  await accessible(page);
  await page.getByRole("button", { name: "Back to the list" }).click();

  // Rename: the address stays.
  await row(page, "alpha").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("gamma");
  await accessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await row(page, "gamma").waitFor();
  await page.goto(address);
  await shows(page, "seen-42");
  await page.goBack();

  // End, undo, end.
  await row(page, "beta").getByRole("button", { name: "End" }).click();
  await row(page, "beta").getByRole("button", { name: "Undo" }).click();
  await row(page, "beta").getByRole("button", { name: "End" }).waitFor();
  await row(page, "beta").getByRole("button", { name: "End" }).click();
  await row(page, "beta").locator('.state[data-state="ended"]').waitFor();
  assert.equal(await row(page, "gamma").count(), 1);

  // A new one, with a shell.
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByRole("dialog").getByRole("combobox", { name: "Agent" }).selectOption({ label: "Shell, no agent" });
  await page.getByRole("dialog").getByRole("combobox", { name: "Directory" }).fill("/nowhere");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("there is no such directory").waitFor();
  await accessible(page);
  await page.getByRole("dialog").getByRole("combobox", { name: "Directory" }).fill("~");
  await page.getByRole("button", { name: "Create" }).click();
  await shows(page, /[$#]/);
  await page.goBack();
  await row(page, "home").waitFor();
});

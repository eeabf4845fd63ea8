// The snapshots: what differs, what is lost or closed with when and why, what a restore costs, and what it brings back.
// Of alpha a window was renamed since the first snapshot, beta was lost, gamma closed, delta is newer.
import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "beta").locator('.state[data-state="lost"]').waitFor();
  await page.getByRole("button", { name: "Restore…" }).click();
  const snapshots = page.getByRole("navigation", { name: "Snapshots" }).getByRole("button");
  await snapshots.first().waitFor();
  assert.ok((await snapshots.count()) >= 2);
  assert.match(await snapshots.first().innerText(), /newest/);
  assert.equal(await snapshots.first().getAttribute("aria-current"), "true");
  await page.getByText("is damaged").or(page.getByText("Snapshots that cannot be used")).first().waitFor();

  // What was lost is ticked, with when; what was closed is offered and not ticked, with when and why.
  const lost = page.getByRole("list", { name: "Not there now" });
  const closed = page.getByRole("list", { name: "Closed" });
  const beta = lost.getByRole("checkbox", { name: "beta" });
  const gamma = closed.getByRole("checkbox", { name: "gamma" });
  await beta.waitFor();
  assert.ok(await beta.isChecked());
  await lost.getByText(/^lost /).first().waitFor();
  assert.ok(!(await gamma.isChecked()));
  await closed.getByText(/not needed any more/).waitFor();
  await page.getByText("There already: 2").waitFor();
  assert.match(await lost.innerText(), /~/, "directories are below the home");
  await accessible(page);

  // An older one: what has changed since, and what is newer.
  await snapshots.last().click();
  await page.getByText("Newer than this snapshot: 1").click();
  await page.getByText("Changed since: 1").click();
  await page.getByText(/window name: .*, now changed/).waitFor();
  assert.equal(await snapshots.last().getAttribute("aria-current"), "true");
  assert.match(page.url(), /\/restore\/\d{8}T\d{6}Z/);
  await accessible(page);
  await page.goBack();
  await until("the newest is shown again", async () => (await snapshots.first().getAttribute("aria-current")) === "true");

  // The history of one.
  await lost.getByText("History").click();
  const history = page.getByRole("list", { name: "History of beta" });
  await history.getByText("shell").first().waitFor();
  await history.getByText("lost").first().waitFor();
  await accessible(page);

  // Both come back; a phone shows it all.
  await gamma.check();
  await page.getByText("No agent starts.").waitFor();
  await page.getByText(/of memory are free/).first().waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.equal(width[0], width[1], "nothing is wider than the screen");
  await accessible(page);
  await page.getByRole("button", { name: "Restore 2 sessions" }).click();
  await page.getByText("2 sessions are back.").first().waitFor();
  await lost.locator('.state[data-state="shell"]').waitFor();
  await closed.locator('.state[data-state="shell"]').waitFor();
  await lost.getByText("restored").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByText("Everything in this snapshot is there.").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Back to the list" }).click();
  await row(page, "gamma").locator('.state[data-state="shell"]').waitFor();
});

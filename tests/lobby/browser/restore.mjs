// After a crash of tmux: what was lost is shown at once, and comes back. The second argument is the server's pid.
import { accessible, row, run, shows, until } from "./page.mjs";

await run(async ({ page, arguments: [server] }) => {
  await row(page, "alpha").waitFor();
  await row(page, "beta").waitFor();
  process.kill(Number(server), "SIGKILL");
  await row(page, "alpha").locator('.state[data-state="lost"]').waitFor();
  await row(page, "beta").locator('.state[data-state="lost"]').waitFor();
  await accessible(page);

  // One.
  await row(page, "beta").getByRole("button", { name: "Restore" }).click();
  const plan = page.locator(".plan > li");
  await plan.filter({ hasText: "beta" }).waitFor();
  await until("the plan has beta alone", async () => (await plan.count()) === 1);
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await row(page, "beta").locator('.state[data-state="shell"]').waitFor();

  // All others.
  await page.getByRole("button", { name: "Restore…" }).click();
  await plan.filter({ hasText: "alpha" }).waitFor();
  await page.getByRole("button", { name: "Restore 1 session" }).click();
  await page.getByText("1 session is back.").first().waitFor();
  await page.getByRole("button", { name: "Back to the list" }).click();
  await row(page, "alpha").locator('.state[data-state="shell"]').waitFor();
  await until("nothing is left to restore", async () => (await page.getByRole("button", { name: "Restore…" }).count()) === 0);
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
});

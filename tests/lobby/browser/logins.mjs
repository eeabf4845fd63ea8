// The list of logins, logging out, and what is said then.
import { accessible, row, run, until } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "alpha").waitFor();
  await page.getByRole("button", { name: "Logins" }).click();
  await page.getByRole("listitem").filter({ hasText: "Chrome on Linux (this browser)" }).waitFor();
  await accessible(page);
  await page.reload();
  await page.getByRole("heading", { name: "Logins" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("This browser is not logged in.").waitFor();
  await accessible(page);
  await page.reload();
  await page.getByText("Run 'lobby open' again").waitFor();
  await until("no row is shown", async () => (await page.getByRole("listitem").count()) === 0);
});

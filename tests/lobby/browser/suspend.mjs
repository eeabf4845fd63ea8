// An idle agent gives its memory back and is started again; and what that was stands with the snapshots.
import { accessible, row, run } from "./page.mjs";

await run(async ({ page }) => {
  const talk = row(page, "talk");
  await talk.locator('.state[data-state="idle"]').waitFor();
  await talk.getByRole("button", { name: "Suspend" }).click();
  await talk.locator('.state[data-state="suspended"]').waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Snapshots" }).click();
  const suspended = page.getByRole("list", { name: "suspended" });
  await suspended.getByText(/gave back \d+ MiB/).waitFor();
  await accessible(page);
  await suspended.getByRole("button", { name: "Resume" }).click();
  await suspended.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Back to the list" }).click();
  await talk.locator('.state[data-state="idle"]').waitFor();
});

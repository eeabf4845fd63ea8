// A part of the page that could not be loaded says so, and is there by itself when the line is.
import { accessible, row, run } from "./page.mjs";

await run(async ({ page, context }) => {
  await row(page, "alpha").waitFor();
  await context.setOffline(true);
  await page.locator(".badge", { hasText: "offline" }).waitFor();
  await page.getByRole("button", { name: "Snapshots" }).click();
  await page.getByRole("heading", { name: "This part of the page could not be loaded." }).waitFor();
  await accessible(page);
  await context.setOffline(false);
  await page.getByText("Nothing was saved yet.").waitFor();
  await page.getByRole("button", { name: "Back to the list" }).click();
  await row(page, "alpha").waitFor();
});

// What is wrong with the connection is named: the browser is offline, the lobby is gone. The second argument is its pid.
import { accessible, row, run, shows, until } from "./page.mjs";

await run(async ({ page, context, arguments: [lobby] }) => {
  await row(page, "alpha").waitFor();
  const badge = page.locator(".badge");
  await context.setOffline(true);
  await badge.filter({ hasText: "This browser is offline" }).waitFor();
  await accessible(page);
  await context.setOffline(false);
  await until("all is well", async () => (await badge.count()) === 0);

  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  await context.setOffline(true);
  await badge.filter({ hasText: "offline" }).waitFor();
  await page.keyboard.type("echo kept-$((3+3))");
  await page.getByRole("status").filter({ hasText: "held" }).waitFor();
  await context.setOffline(false);
  await page.keyboard.type("\n");
  await shows(page, "kept-6");

  process.kill(Number(lobby), "SIGKILL");
  await badge.filter({ hasText: "The lobby does not answer" }).waitFor();
  await accessible(page);
});

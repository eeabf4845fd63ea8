// A line that is down, with no notice: typed meanwhile, shown as held, arrived once. The second argument
// is the lobby's pid.
import { row, run, shows, until } from "./page.mjs";

await run(async ({ page, arguments: [lobby] }) => {
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  await page.keyboard.type("printf %s- one");
  await shows(page, "one");
  process.kill(Number(lobby), "SIGSTOP");
  try {
    await page.keyboard.type(" two");
    await page.getByRole("status").filter({ hasText: "Loading" }).waitFor();
    await page.keyboard.type(" three");
    await page.getByRole("status").filter({ hasText: "held" }).waitFor();
  } finally {
    process.kill(Number(lobby), "SIGCONT");
  }
  await shows(page, "one two three");
  await page.keyboard.type("\n");
  await shows(page, "one-two-three-");
  await until("the line is said to be up", async () => (await page.getByRole("status").count()) === 0);
});

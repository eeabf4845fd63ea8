// Two tabs of one browser on one session, and the list in a third.
import { assert, row, run, shows, until } from "./page.mjs";

await run(async ({ page, context, url }) => {
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  const other = await context.newPage();
  await other.goto(page.url());
  await shows(other, /[$#]/);
  // The one that was opened last drives; the other one sees it, and takes over with a click.
  await page.bringToFront();
  await page.getByRole("button", { name: "Take over" }).click();
  await other.getByRole("button", { name: "Take over" }).waitFor();
  await page.keyboard.type("echo both-$((6*7))\n");
  await shows(page, "both-42");
  await shows(other, "both-42");
  const list = await context.newPage();
  await list.goto(new URL("/", url).href);
  await row(list, "alpha").filter({ hasText: "2 viewers" }).waitFor();
  await other.close();
  await row(list, "alpha").filter({ hasText: "1 viewer" }).waitFor();
  // Another browser has no way in: the link was used.
  const stranger = await context.browser().newContext();
  const strange = await stranger.newPage();
  await strange.goto(url);
  await strange.getByText("not logged in").waitFor();
  await until("no row is shown", async () => (await strange.getByRole("listitem").count()) === 0);
  assert.equal(new URL(strange.url()).hash, "");
});

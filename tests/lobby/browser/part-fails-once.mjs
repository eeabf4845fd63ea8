// Every part of the page that is loaded later fails once: each is there a little later all the same.
import { assert, row, run, shows } from "./page.mjs";

await run(async ({ page, context, url }) => {
  await row(page, "alpha").waitFor();
  const begins = await (await context.request.get(new URL("/", url).href)).text();
  const failed = new Set();
  await context.route(/\/assets\/.*\.js$/, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (begins.includes(path) || failed.has(path)) return route.continue();
    failed.add(path);
    await route.abort();
  });
  await page.reload();
  await row(page, "alpha").waitFor();
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByRole("dialog").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  assert.ok(failed.size >= 3, `failed: ${[...failed].join(" ")}`);
});

// A person logs in at an OpenID provider, from the page, and out again.

import { assert, run } from "./page.mjs";

await run(async ({ page, url }) => {
  // The page leads to the provider, by itself or by a link.
  const name = page.locator("input[name=login]");
  const link = page.getByRole("link", { name: /log in/i });
  await name.or(link).first().waitFor();
  if (await link.count()) await link.first().click();
  await name.fill("ann");
  await page.locator("input[name=password]").fill("any");
  await page.getByRole("button").first().click();
  await page.waitForURL(`${url}/`);
  const me = await page.evaluate(async () => (await fetch("/api/me")).json());
  assert.equal(me.user, "ann");
  // No script of the page's can read the login.
  assert.equal(await page.evaluate(() => document.cookie), "");
});

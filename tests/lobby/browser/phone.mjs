// The same page on a phone.
import { accessible, assert, row, run, shows } from "./page.mjs";

await run(
  async ({ page }) => {
    await row(page, "alpha").waitFor();
    await accessible(page);
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(width[0], width[1], "nothing is wider than the screen");
    await row(page, "alpha").getByRole("link").tap();
    await shows(page, /[$#]/);
    await accessible(page);
  },
  { phone: true },
);

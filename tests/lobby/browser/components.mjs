// Every component in every state: axe finds nothing, in light and dark, and nothing is too wide on a phone. The second
// argument is the folder of the page.
import { accessible, assert, run } from "./page.mjs";
import { sheet } from "./sheet.mjs";

await run(async ({ page }) => {
  const components = await sheet(process.argv[3]);
  try {
    await page.goto(components.url);
    await page.getByRole("heading", { name: "Components" }).waitFor();
    await page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
    assert.ok((await page.locator("li[data-session]").count()) >= 11);
    await accessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= seen, `the sheet is ${wide} wide at ${seen}`);
  } finally {
    components.close();
  }
});

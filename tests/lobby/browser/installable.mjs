// The page can be installed: the browser itself finds nothing wrong with its manifest, and its icons are what that says.
import { assert, row, run } from "./page.mjs";

await run(
  async ({ page, context }) => {
    await row(page, "alpha").waitFor();
    assert.equal(await page.locator('link[rel="manifest"]').getAttribute("crossorigin"), "use-credentials");
    const browser = await context.newCDPSession(page);
    const { data, errors } = await browser.send("Page.getAppManifest");
    assert.deepEqual(errors, []);
    const manifest = JSON.parse(data);
    assert.deepEqual([manifest.display, manifest.start_url, manifest.id], ["standalone", "/", "/"]);
    const get = (address) =>
      page.evaluate(async (address) => {
        const answer = await fetch(address);
        const type = answer.headers.get("content-type");
        if (!type.startsWith("image/png")) return { type };
        const { width } = await createImageBitmap(await answer.blob());
        return { type, width };
      }, address);
    assert.match((await get("/manifest.webmanifest")).type, /^application\/manifest\+json/);
    for (const icon of manifest.icons) {
      const { type, width } = await get(icon.src);
      assert.equal(type, icon.type);
      if (width) assert.equal(`${width}x${width}`, icon.sizes);
    }
    assert.equal((await get("/apple-touch-icon.png")).width, 180);
    const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
    const wrong = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
    assert.deepEqual(wrong, []);
    // No fetch handler: what is shown is what the lobby serves now.
    assert.equal(await page.evaluate(() => navigator.serviceWorker?.controller ?? null), null);
  },
  { phone: true },
);

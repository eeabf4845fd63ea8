// A phone at 400 kbit/s and 300 ms: painted within 2 s, and the list can be used.
import { accessible, assert, row, run } from "./page.mjs";

await run(
  async ({ context, url, page: first }) => {
    await row(first, "alpha").waitFor();
    await first.close();
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    await network.send("Network.enable");
    await network.send("Network.setCacheDisabled", { cacheDisabled: true });
    const rate = (400 * 1000) / 8;
    await network.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: rate, uploadThroughput: rate });
    const begin = Date.now();
    await page.goto(new URL("/", url).href, { waitUntil: "commit" });
    await row(page, "alpha").waitFor();
    const usable = Date.now() - begin;
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
    assert.ok(paint < 2000, `the first paint took ${paint} ms`);
    assert.ok(usable < 4000, `the list was there after ${usable} ms`);
    await page.getByRole("searchbox").fill("nothing like it");
    await page.getByText("No session matches.").waitFor();
    await page.getByRole("searchbox").fill("");
    // What is loaded later says so until it is there.
    await page.getByRole("button", { name: "Snapshots" }).tap();
    await page.getByText("Nothing was saved yet.").waitFor();
    await accessible(page);
    console.log(`first paint ${Math.round(paint)} ms, list ${usable} ms`);
  },
  { phone: true },
);

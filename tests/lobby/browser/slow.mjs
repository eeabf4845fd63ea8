// 400 kbit/s and 300 ms: something is shown within 2 s, and the list can be used.
import { assert, row, run } from "./page.mjs";

await run(async ({ context, url, page: first }) => {
  await row(first, "alpha").waitFor();
  await first.close();
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.setCacheDisabled", { cacheDisabled: true });
  const rate = (400 * 1000) / 8;
  await network.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: rate, uploadThroughput: rate });
  await page.goto(new URL("/", url).href, { waitUntil: "commit" });
  await row(page, "alpha").waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  assert.ok(paint < 2000, `the first paint took ${paint} ms`);
  await page.getByRole("searchbox").fill("nothing like it");
  await page.getByText("No session matches.").waitFor();
});

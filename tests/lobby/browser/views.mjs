// Many open views in one browser: how much memory they take, and that those that are hidden for a minute give theirs up. The
// arguments are how many, and how many MB are allowed.
import { assert, row, run, shows, until } from "./page.mjs";

await run(async ({ page, context, url, arguments: [count, allowed] }) => {
  // A minute is shorter here.
  await context.addInitScript(() => {
    const real = globalThis.setTimeout;
    globalThis.setTimeout = (then, time, ...more) => real(then, time === 60_000 ? 50 : time, ...more);
  });
  const hide = (one, is) =>
    one.evaluate((is) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => is });
      document.dispatchEvent(new Event("visibilitychange"));
    }, is);
  /** What the pages hold, by V8; in MB. */
  const heap = async (pages) => {
    let sum = 0;
    for (const one of pages) {
      const session = await context.newCDPSession(one);
      await session.send("HeapProfiler.collectGarbage");
      await session.send("Performance.enable");
      const { metrics } = await session.send("Performance.getMetrics");
      sum += metrics.find(({ name }) => name === "JSHeapUsedSize").value;
      await session.detach();
    }
    return sum / 1e6;
  };
  await row(page, "alpha").waitFor();
  const address = await row(page, "alpha").getByRole("link").getAttribute("href");
  const pages = [];
  while (pages.length < Number(count)) {
    const one = await context.newPage();
    await one.goto(new URL(address, url).href);
    await shows(one, /[$#]/);
    pages.push(one);
    // As a browser does with tabs: only the newest is seen.
    if (pages.length > 1) await hide(pages.at(-2), true);
  }
  for (const one of pages.slice(0, -1)) await until("a hidden one has no terminal", async () => (await one.locator(".xterm").count()) === 0);
  const held = await heap(pages);
  console.log(`${count} views, one seen: ${held.toFixed(0)} MB held by pages; goal ${allowed} MB`);
  assert.ok(held < Number(allowed), `${held} MB`);
  // One that is seen again goes on; what another view drives, it leaves to that.
  await hide(pages[0], false);
  await shows(pages[0], /[$#]/);
  await pages[0].getByRole("button", { name: "Take over" }).click();
  await pages[0].getByRole("button", { name: "Take over" }).waitFor({ state: "detached" });
  await pages[0].keyboard.type("echo back-$((40+2))\n");
  await shows(pages[0], "back-42");
});

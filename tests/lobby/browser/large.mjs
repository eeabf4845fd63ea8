// A conversation of 50 MB: how soon it is there, how it is drawn while it streams, and what a long way through it leaves.

import { appendFile } from "node:fs/promises";
import { assert, row, run, until } from "./page.mjs";

await run(async ({ page, arguments: [file, id, line] }) => {
  await row(page, "alpha").waitFor();
  const show = (path) =>
    page.evaluate(async (path) => {
      const begin = performance.now();
      history.pushState(null, "", path);
      dispatchEvent(new PopStateEvent("popstate"));
      const isThere = () => document.querySelectorAll(".messages > li").length > 10;
      while (path !== "/" && !isThere()) await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - begin;
    }, path);
  const opened = [];
  for (let time = 0; time < 5; time++) {
    opened.push(Math.round(await show(`/conversation/claude/${id}`)));
    await page.locator(".messages > li").filter({ hasText: "message 9999 " }).waitFor();
    await show("/");
    await row(page, "alpha").waitFor();
  }
  await show(`/conversation/claude/${id}`);
  await page.locator(".messages > li").filter({ hasText: "message 9999 " }).waitFor();
  // It streams: 40 messages a second, for five seconds.
  const frames = page.evaluate(async () => {
    const times = [];
    let last = await new Promise(requestAnimationFrame);
    const end = last + 5000;
    while (last < end) {
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  let isOver = false;
  const append = (async () => {
    for (let number = 0; !isOver; number++) {
      await appendFile(file, `${line.replace("TEXT", `streamed ${number} with **some** \`code\` and words`)}\n`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  const times = await frames;
  isOver = true;
  await append;
  const at = (share) => Math.round(times[Math.floor(share * (times.length - 1))] * 10) / 10;
  await page.locator(".messages > li").filter({ hasText: /streamed 20 / }).waitFor();
  const follows = await page.locator(".conversation").evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 100);
  assert.ok(follows, "the newest is followed");
  // A long way up.
  const scroller = page.locator(".conversation");
  let most = 0;
  await until("2000 messages back", async () => {
    await scroller.evaluate((one) => (one.scrollTop = 0));
    most = Math.max(most, await page.locator(".messages > li").count());
    const first = await page.locator(".messages > li").first().innerText();
    return Number(/message (\d+) /.exec(first)?.[1] ?? 9999) < 8000;
  });
  const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
  console.log(
    `opened after ${opened.join(", ")} ms; ${Math.round((1000 * times.length) / 5000)} frames a second while it streams, ` +
      `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms; ${most} elements at most, ${Math.round(heap / (1 << 20))} MiB of heap`,
  );
  assert.ok(most <= 600, `${most} elements`);
  assert.ok(heap < 150 << 20, `${heap} bytes of heap`);
  assert.ok(opened.sort((a, b) => a - b)[2] < 1500, `${opened}`);
  assert.ok(at(0.5) < 50, `${at(0.5)}`);
});

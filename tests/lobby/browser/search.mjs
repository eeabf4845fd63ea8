// Words of past conversations are found, lead to their place, and a conversation goes on in a new session.

import { accessible, assert, row, run, screen, until } from "./page.mjs";

await run(async ({ page, context, url }) => {
  await row(page, "alpha").waitFor();
  const requests = [];
  context.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  // From the list: what is typed there is searched in conversations on Enter.
  await page.getByRole("searchbox").fill("zeppelin");
  await page.getByRole("button", { name: "Search in all conversations: zeppelin" }).waitFor();
  await page.getByRole("searchbox").press("Enter");
  const hit = page.locator("a.hit");
  await hit.filter({ hasText: "the zeppelin lands" }).waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), "zeppelin");
  assert.deepEqual(await hit.locator("mark").allInnerTexts(), ["zeppelin"]);
  await page.getByText("past conversation").first().waitFor();
  await page.getByText("1 message in 1 conversation").waitFor();
  await accessible(page);
  // As one types, without accents and case, phrases, another agent, and hostile text as text.
  const box = page.getByRole("searchbox");
  await box.fill("GROSSE FLUGH");
  await page.getByText("No message has these words.").waitFor();
  await box.fill("große flugh");
  await hit.filter({ hasText: "message 2000 Große FLUGHÄFEN" }).waitFor();
  assert.deepEqual(await hit.locator("mark").allInnerTexts(), ["Große", "FLUGHÄFEN", "Flughäfen"]);
  await box.fill('"zeppelin the"');
  await page.getByText("No message has these words.").waitFor();
  await box.fill("onerror");
  await hit.filter({ hasText: "<img src=x onerror=alert(1)>" }).waitFor();
  assert.equal(await page.locator(".search-page img").count(), 0);
  await box.fill("rollout words");
  await page.getByRole("listitem").filter({ hasText: "codex" }).waitFor();
  await box.fill("tool-payload");
  await page.getByText("No message has these words.").waitFor();
  // A place in the middle of 3000 messages; back leads to what was found.
  await box.fill("zeppelin");
  await hit.filter({ hasText: "the zeppelin lands" }).waitFor();
  await box.press("ArrowDown");
  await page.keyboard.press("Enter");
  const sought = page.locator(".messages > .sought");
  await sought.filter({ hasText: "the zeppelin lands" }).waitFor();
  await until("it is on the screen", () => sought.evaluate((one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return top > 0 && bottom < innerHeight;
  }));
  assert.match(page.url(), /\/conversation\/claude\/0d0a8f5e-0000-4000-8000-000000000001\/\d+$/);
  await page.getByRole("heading", { name: "Build an airport" }).waitFor();
  await accessible(page);
  // Both ways lead on from there, and what is far away does not stay.
  const has = (text) => page.locator(".messages > li").filter({ hasText: text }).count();
  const scroller = page.locator(".conversation");
  await until("the begin is reached", async () => {
    await scroller.evaluate((one) => (one.scrollTop = 0));
    return (await has(/message 0 /)) > 0;
  });
  assert.ok((await page.locator(".messages > li").count()) <= 600, "what is far away is let go");
  await until("the end is reached", async () => {
    await scroller.evaluate((one) => (one.scrollTop = one.scrollHeight));
    return (await has(/message 2999 /)) > 0;
  });
  assert.equal(await page.locator(".messages > li").filter({ hasText: /message 29\d\d / }).count(), 100, "none is there twice or lacks");
  await page.getByRole("button", { name: "Back" }).click();
  await hit.filter({ hasText: "the zeppelin lands" }).waitFor();
  // It goes on in a new session, and is then that session's.
  await page.getByRole("button", { name: "Open in a new session" }).click();
  await page.locator(".xterm-screen").waitFor();
  await screen(page).filter({ hasText: "claude" }).waitFor();
  const session = page.url();
  await page.goBack();
  await until("it is a session's", async () => {
    await box.fill("zeppelin ");
    await box.fill("zeppelin");
    return (await page.getByText("session work").count()) > 0;
  });
  await hit.filter({ hasText: "the zeppelin lands" }).click();
  await page.locator(".messages > .sought").filter({ hasText: "the zeppelin lands" }).waitFor();
  assert.ok(page.url().startsWith(`${session}/text/`), page.url());
  const words = ["zeppelin", "onerror", "flugh"];
  assert.deepEqual(requests.filter((to) => words.some((word) => decodeURIComponent(to).includes(word))), [], "no address has the words");
  assert.ok(requests.some((to) => to.includes("/api/search")), "the socket was seen");
  // The address works by itself, too.
  await page.goto(new URL("/search", url).href);
  await page.getByRole("heading", { name: "Search in all conversations" }).waitFor();
});

// Fingers on a phone: agents are opened as text, swipes lead from session to session and to the list, soft keys type,
// the input stays above the keyboard, and without a network all that is said and comes back. There are the agents "one"
// and "two" and the shell "zsh".
import { accessible, assert, row, run, screen, shows, until } from "./page.mjs";

await run(
  async ({ page, context }) => {
    const touch = await context.newCDPSession(page);
    const swipe = async (from, to) => {
      const at = (t) => ({ x: from[0] + (to[0] - from[0]) * t, y: from[1] + (to[1] - from[1]) * t });
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at(0)] });
      for (const t of [0.3, 0.6, 1]) await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [at(t)] });
      // The finger rests before it is lifted: what it lets go would fling, and the next tap would only stop that.
      await page.waitForTimeout(200);
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [at(1)] });
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    const isAt = (pattern) => until(`the page is at ${pattern}`, () => pattern.test(new URL(page.url()).pathname));
    const stays = async (pattern) => {
      // What would lead away has done so once a later event was handled.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      assert.match(new URL(page.url()).pathname, pattern);
    };
    const [left, right] = [[80, 500], [330, 500]];

    // As text first.
    await row(page, "one").locator('.state[data-state="idle"]').waitFor();
    await row(page, "two").locator('.state[data-state="idle"]').waitFor();
    await page.evaluate(() => window.scrollTo(0, 0));
    await row(page, "one").getByRole("link").tap();
    await isAt(/\/text$/);
    await page.locator(".answer", { hasText: "first words of one" }).waitFor();
    await accessible(page);
    const one = new URL(page.url()).pathname;

    // To the next one, back, and to the list.
    await swipe(right, left);
    await page.locator(".answer", { hasText: "first words of two" }).waitFor();
    await swipe(left, right);
    await page.locator(".answer", { hasText: "first words of one" }).waitFor();
    assert.equal(new URL(page.url()).pathname, one);
    await swipe([200, 300], [230, 600]);
    await stays(/\/text$/);
    // Swipes in what scrolls to the side are that one's own.
    const wide = await page.evaluate(() => {
      const block = document.createElement("li");
      block.innerHTML = '<div class="code"><pre tabindex="0"><code></code></pre></div>';
      block.querySelector("code").textContent = "wide ".repeat(200);
      document.querySelector(".messages").append(block);
      block.scrollIntoView();
      const { x, y, width, height } = block.querySelector("pre").getBoundingClientRect();
      return { x, y: y + height / 2, width };
    });
    await swipe([wide.x + wide.width - 60, wide.y], [wide.x + 30, wide.y]);
    await stays(/\/text$/);
    await swipe([5, 500], [300, 500]); // from the side: the browser's
    await stays(/\/text$/);
    await page.locator(".messages").evaluate((list) => list.lastElementChild.remove());
    await swipe(left, right);
    await isAt(/^\/$/);

    // The input stays above the keyboard, where the browser only says how much is seen.
    await row(page, "two").getByRole("link").tap();
    const box = page.getByRole("textbox", { name: "Prompt" });
    await box.waitFor();
    const covered = (height) =>
      page.evaluate((height) => {
        Object.defineProperty(visualViewport, "height", { get: () => height ?? innerHeight, configurable: true });
        visualViewport.dispatchEvent(new Event("resize"));
      }, height);
    await covered(430);
    await until("the input is seen", async () => (({ y, height }) => y + height <= 430)(await box.boundingBox()));
    await accessible(page);
    await covered(undefined);
    await until("all is as high as before", async () => (({ y, height }) => y + height > 700)(await box.boundingBox()));

    // Without a network: it is said, nothing can be sent, what was written stays, and all comes back by itself.
    await box.fill("more words");
    await context.setOffline(true);
    await page.locator(".badge", { hasText: "This browser is offline" }).waitFor();
    assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
    await accessible(page);
    await context.setOffline(false);
    await until("all is well", async () => (await page.locator(".badge").count()) === 0);
    assert.equal(await box.inputValue(), "more words");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.locator(".answer", { hasText: "ack: more words" }).waitFor();

    // In a terminal nothing but the head takes swipes.
    await page.getByRole("button", { name: "Terminal" }).tap();
    await screen(page).waitFor();
    await swipe(left, right);
    await stays(/^\/session\/[0-9a-f]+$/);
    await swipe([120, 20], [360, 24]);
    await isAt(/^\/$/);

    // Soft keys type, and leave the focus, and so the keyboard, where it is.
    await row(page, "zsh").getByRole("link").tap();
    await shows(page, /[$#]/);
    await page.keyboard.type("cat -v\n");
    const keys = page.getByRole("toolbar", { name: "Keys" });
    for (const name of ["Up", "Left", "Tab", "Esc"]) await keys.getByRole("button", { name }).tap();
    await page.keyboard.type("\n");
    await shows(page, /\^\[\[A\^\[\[D/);
    assert.ok(await page.evaluate(() => document.activeElement?.closest(".xterm") !== null), "the focus is in the terminal");
    await keys.getByRole("button", { name: "Ctrl" }).tap();
    await page.keyboard.type("c");
    await shows(page, /\^C[^]*[$#]/); // what is typed before that goes to the one that ends
    await page.keyboard.type("echo over-$((20+2))\n");
    await shows(page, "over-22");
    await accessible(page);

    // The choice is kept in the browser.
    await page.getByRole("button", { name: "Back to the list" }).tap();
    await page.getByRole("checkbox", { name: "Open agents as text" }).uncheck();
    await page.reload();
    await row(page, "one").getByRole("link").tap();
    await isAt(/^\/session\/[0-9a-f]+$/);
  },
  { phone: true },
);

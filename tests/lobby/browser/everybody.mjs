// Everything by keyboard alone, for screen readers, in forced colours, with names that run from the right, and zoomed.
// There are the agent "talk" and shells, two of them with names of both directions.
import { accessible, assert, row, run, screen, shows, until } from "./page.mjs";

await run(async ({ page }) => {
  const live = page.locator('p.spoken[aria-live="polite"]');
  await row(page, "talk").locator('.state[data-state="idle"]').waitFor();
  assert.equal(await live.innerText(), "", "nothing is announced when the page is loaded");

  /** Goes through everything that can have the focus; each has a frame that is seen, and none keeps it. */
  const walk = async (what) => {
    await page.evaluate(() => document.activeElement?.blur());
    const all = await page.evaluate(() => {
      const wanted = "a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select, summary, [tabindex='0']";
      return [...document.querySelectorAll(wanted)].filter((one) => one.checkVisibility() && !one.closest("[inert]")).length;
    });
    const seen = new Set();
    for (let step = 0; step < all + 5; step += 1) {
      await page.keyboard.press("Tab");
      const now = await page.evaluate(() => {
        const one = document.activeElement;
        if (!one || one === document.body) return undefined;
        one.dataset.walked ??= String(Math.random());
        const style = getComputedStyle(one);
        const name = `${one.tagName} ${one.textContent}`.slice(0, 60);
        return { id: one.dataset.walked, name, framed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
      });
      if (!now) continue;
      assert.ok(now.framed, `${what}: no frame is seen around ${now.name}`);
      seen.add(now.id);
    }
    assert.equal(seen.size, all, `${what}: all can be reached by Tab`);
  };
  const fits = async (what) => {
    for (const [width, height] of [[640, 400], [320, 500]]) {
      await page.setViewportSize({ width, height });
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= seen, `${what} is ${wide} wide at ${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await walk("list");
  await fits("list");

  // A dialog takes the focus and gives it back.
  const rename = row(page, "talk").getByRole("button", { name: "Rename" });
  await rename.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Name" }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Name" }).getAttribute("dir"), "auto");
  await fits("dialog");
  await page.keyboard.press("Escape");
  await until("the focus is back", async () => (await focused()).startsWith("Rename"));

  // Another part of the page takes it, and the row of a session has it after that.
  await page.getByRole("button", { name: "Logins" }).focus();
  await page.keyboard.press("Enter");
  await until("the heading has it", async () => (await focused()) === "Logins");
  await walk("logins");
  await fits("logins");
  await page.getByRole("button", { name: "Back to the list" }).focus();
  await page.keyboard.press("Enter");
  await row(page, "talk").waitFor();
  await until("the list has it", async () => (await focused()) !== "");
  await page.getByRole("button", { name: "Snapshots" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Nothing was saved yet.").waitFor();
  await walk("snapshots");
  await fits("snapshots");
  await page.goBack();

  // The text view: a heading for each message, in the order in which they were said; what happens is announced.
  await row(page, "talk").getByRole("link").focus();
  await page.keyboard.press("Enter");
  await screen(page).waitFor();
  await until("the terminal has it", () => page.evaluate(() => document.activeElement?.closest(".xterm") !== null));
  await page.getByRole("button", { name: "Text", exact: true }).click();
  await page.locator(".answer", { hasText: "first words" }).waitFor();
  const headings = await page.getByRole("heading", { level: 2 }).allInnerTexts();
  assert.deepEqual(headings.slice(0, 2), ["You", "claude"]);
  const order = await page.locator(".messages article").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
  await page.getByRole("region", { name: "Conversation" }).waitFor();
  await walk("text view");
  await fits("text view");
  await page.getByRole("textbox", { name: "Prompt" }).fill("sleep:3 more");
  await page.keyboard.press("Enter");
  await until("its work is announced", async () => /: working/.test(await live.innerText()));
  await until("its end is announced", async () => /: idle/.test(await live.innerText()));
  await page.keyboard.press("Control+Shift+K");
  await row(page, "talk").waitFor();

  // The terminal for screen readers can be switched off, where it costs too much; the choice stays.
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  await fits("terminal");
  await page.getByText("View", { exact: true }).click();
  await page.getByRole("checkbox", { name: "Readable by screen readers" }).uncheck();
  await screen(page).waitFor({ state: "detached" });
  await page.reload();
  await page.locator(".xterm-screen").waitFor();
  assert.equal(await screen(page).count(), 0);
  await page.getByText("View", { exact: true }).click();
  await page.getByRole("checkbox", { name: "Readable by screen readers" }).check();
  await shows(page, /[$#]/);
  await page.goto(new URL("/", page.url()).href);

  // Names from the right are shown from the right, and move nothing else.
  const names = page.locator(".name bdi");
  await until("all are listed", async () => (await names.count()) >= 4);
  const cells = await page.locator("li[data-session]").evaluateAll((rows) =>
    rows.map((one) => [one.querySelector(".state"), one.querySelector(".name"), one.querySelector(".acts")].map((cell) => cell.getBoundingClientRect().left)),
  );
  assert.ok(cells.every(([state, name, acts]) => state < name && name < acts), JSON.stringify(cells));
  const hebrew = page.locator("li", { has: page.locator(".name", { hasText: "שלום" }) });
  assert.equal(await hebrew.locator(".name bdi").innerText(), "שלום web 2");
  await hebrew.getByRole("link").click();
  await page.getByRole("heading", { name: "שלום web 2" }).waitFor();
  await accessible(page);
  await page.keyboard.press("Control+Shift+K");

  // Forced colours: what is on is seen. Reduced motion: nothing moves.
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  const pin = row(page, "alpha").getByRole("button", { name: "Pin" });
  const border = () => pin.evaluate((one) => getComputedStyle(one).borderTopWidth);
  const before = await border();
  await pin.click();
  await until("it is seen to be on", async () => (await border()) !== before);
  const moving = await page.evaluate(
    () => [...document.querySelectorAll("*")].filter((one) => parseFloat(getComputedStyle(one).transitionDuration) > 0 || getComputedStyle(one).animationName !== "none").length,
  );
  assert.equal(moving, 0);
  await page.emulateMedia({ forcedColors: "none" });
  await accessible(page);
});

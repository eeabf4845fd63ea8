// What every scenario begins with: a browser with the page of the lobby at the URL that is the first argument. A
// scenario prints nothing and ends with 0, or throws.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export { assert };

/** How long anything may take that is waited for, in milliseconds. */
const PATIENCE = 20_000;

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Runs a scenario in a browser that is logged in by the link. */
export async function run(scenario, { phone = false } = {}) {
  const [url, ...rest] = process.argv.slice(2);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    const context = await browser.newContext({
      viewport: phone ? PHONE : DESKTOP,
      hasTouch: phone,
      isMobile: phone,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection|support the Push API/.test(message.text())) {
        problems.push(`console: ${message.text()}`);
      }
    });
    await page.goto(url);
    await page.getByRole("heading").first().waitFor();
    try {
      await scenario({ page, context, browser, url, arguments: rest });
    } catch (failed) {
      console.error(`the page shows:\n${await page.locator("body").innerText()}`);
      throw failed;
    }
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}

/** A row of the list, by a session's name. */
export const row = (page, name) =>
  page.getByRole("listitem").filter({ has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) });

/** What the terminal shows, as a screen reader reads it. */
export const screen = (page) => page.locator(".xterm-accessibility-tree");

/** Waits until the terminal shows a text. */
export async function shows(page, text) {
  await screen(page).filter({ hasText: text }).waitFor();
}

/** Waits until `holds` gives true. */
export async function until(what, holds) {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asserts that axe finds nothing on the page, in light and in dark. */
export async function accessible(page) {
  const file = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  await page.evaluate(await readFile(file, "utf8"));
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(found, [], colorScheme);
  }
}

/** The milliseconds from the last click on a row to the whole screen of its session. */
export async function clickToScreen(page) {
  const mark = (name) => page.evaluate((name) => performance.getEntriesByName(name).at(-1)?.startTime, name);
  await until("the whole screen is shown", async () => (await mark("lobby:shown")) !== undefined);
  return (await mark("lobby:shown")) - (await mark("lobby:click"));
}

/** Forgets what was measured. */
export const forgetMarks = (page) => page.evaluate(() => performance.clearMarks());

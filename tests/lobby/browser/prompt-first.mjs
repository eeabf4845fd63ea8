// A new session by what is to be done: typed, Enter, and it is there. The agents are the real ones, with a model that is
// not. The second argument is the directory.
import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page, arguments: [directory] }) => {
  const input = page.getByRole("textbox", { name: "What is to be done?" });
  await input.waitFor();
  await accessible(page);
  // All choices, once, so that the directory is a recent one.
  await page.getByRole("button", { name: "All choices…" }).click();
  await page.getByRole("dialog").getByRole("combobox", { name: "Directory" }).fill(directory);
  await page.getByRole("dialog").getByRole("combobox", { name: "Agent" }).selectOption("claude");
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/session/);
  await page.keyboard.press("Control+Shift+K");
  await until("it is offered", async () => (await page.locator(".prompt-first").getByRole("combobox", { name: "Directory" }).inputValue()) === directory);

  await input.fill("Fix the <b>login</b>\nof #{pid} $(x)");
  const shown = page.evaluate(
    () =>
      new Promise((resolve) => {
        const look = () => {
          const found = [...document.querySelectorAll(".name")].find((name) => name.textContent === "fix-b-login-b");
          if (found) resolve({ at: performance.now(), state: found.closest("li").dataset.state });
        };
        new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
      }),
  );
  await input.press("Enter");
  const { at, state } = await shown;
  const mark = (name) => page.evaluate((name) => performance.getEntriesByName(name).at(-1)?.startTime, name);
  await until("it is answered", async () => (await mark("lobby:accepted")) !== undefined);
  const [asked, accepted] = [await mark("lobby:asked"), await mark("lobby:accepted")];
  console.log(`first prompt: answered after ${(accepted - asked).toFixed(0)} ms, row there after ${(at - asked).toFixed(0)} ms; goal 300 ms`);
  assert.equal(state, "starting", "a start that takes its time is shown as that");
  assert.ok(accepted - asked < 3000 && at - asked < 3000);
  assert.equal(await input.inputValue(), "");
  await row(page, "fix-b-login-b").locator('.state[data-state="idle"]').waitFor();
  await row(page, "fix-b-login-b").filter({ hasText: directory }).waitFor();
  await accessible(page);

  // The same again has another name, and Ctrl-Enter opens it. Shift-Enter begins a line.
  await input.fill("Fix the <b>login</b>");
  await input.press("Shift+Enter");
  assert.match(await input.inputValue(), /\n$/);
  await input.press("Control+Enter");
  await page.getByRole("heading", { name: "fix-b-login-b-2" }).waitFor();
  await page.keyboard.press("Control+Shift+K");
  // The arrows stay in what is typed.
  await input.fill("one\ntwo");
  await input.press("ArrowUp");
  assert.ok(await input.evaluate((element) => element === document.activeElement));
});

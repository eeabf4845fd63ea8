// From a click on a row to the whole screen of its session: `cold` with the terminal's code
// there and nothing prepared, `hovered` after the pointer rested on the row. The second argument is how often.
import { clickToScreen, forgetMarks, row, run, until } from "./page.mjs";

await run(async ({ page, arguments: [times] }) => {
  const link = () => row(page, "alpha").getByRole("link");
  const measured = { cold: [], hovered: [] };
  const back = async () => {
    await page.keyboard.press("Control+Shift+K");
    await page.mouse.move(5, 5);
    await link().waitFor();
    await until("no terminal is ready", async () => (await page.locator(".stage .xterm").count()) === 0);
    await forgetMarks(page);
  };
  await link().click();
  await clickToScreen(page);
  for (let time = 0; time < Number(times); time += 1) {
    await back();
    // Without the pointer on the row, as a tap is.
    await link().dispatchEvent("click", { button: 0 });
    measured.cold.push(await clickToScreen(page));
    await back();
    await link().hover();
    await until("its screen is there", async () => /alpha/.test(await page.locator(".stage").textContent()));
    await link().click();
    measured.hovered.push(await clickToScreen(page));
  }
  for (const [name, goal] of [["cold", 150], ["hovered", 50]]) {
    const sorted = measured[name].toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(0);
    console.log(`click to a full screen, ${name}: median ${at(0.5)} ms, p90 ${at(0.9)} ms, of ${sorted.length}; goal ${goal} ms`);
  }
});

// A conversation as text: read, unfolded, prompted, followed.

import { accessible, assert, row, run } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "talk").getByRole("link").click();
  await page.getByRole("button", { name: "Text", exact: true }).click();
  const said = page.locator(".messages > li");
  await said.filter({ hasText: "first words" }).first().waitFor();
  assert.equal(await page.locator(".answer strong", { hasText: "bold" }).count(), 1, "Markdown is shown as it is meant");
  assert.equal(await page.locator(".messages b, .messages script").count(), 0, "HTML in a conversation stays text");
  await page.locator(".answer", { hasText: "<b>not</b>" }).waitFor();
  await accessible(page);
  const box = page.getByRole("textbox", { name: "Prompt" });
  await box.fill("bash:printf 'a%.0s' 1 2 3; echo; seq 2");
  await page.getByRole("button", { name: "Send" }).click();
  const tool = page.locator('[data-type="call"] details');
  await tool.waitFor();
  await page.locator(".answer", { hasText: "ack: tool done" }).waitFor();
  assert.equal(await tool.locator("pre").count(), 0, "a tool's work is folded");
  await tool.locator("summary").click();
  await tool.locator("pre", { hasText: "aaa\n1\n2" }).waitFor();
  assert.equal(await box.inputValue(), "");
  await accessible(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  await page.locator(".xterm-screen").waitFor();
});

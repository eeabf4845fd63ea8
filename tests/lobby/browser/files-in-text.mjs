// Files in a conversation as text: an image that a message names is shown, and a pasted one is uploaded and named.

import { accessible, assert, row, run, until } from "./page.mjs";

await run(async ({ page }) => {
  await row(page, "talk").getByRole("link").click();
  await page.getByRole("button", { name: "Text", exact: true }).click();
  const prompt = page.locator(".messages .prompt").first();
  await prompt.getByRole("button", { name: "Show dot.png" }).click();
  await until("the image is shown", () => prompt.locator("img").evaluate((image) => image.naturalWidth === 1).catch(() => false));
  await prompt.getByRole("button", { name: "Show none.png" }).click();
  await prompt.getByRole("alert").waitFor();
  assert.equal(await prompt.getByRole("button", { name: "Show far.png" }).count(), 0, "nothing is fetched from elsewhere");
  const box = page.getByRole("textbox", { name: "Prompt" });
  await box.fill("look at");
  await box.evaluate((element) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array([1, 2, 3])], "my image.png", { type: "image/png" }));
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await until("its path is in the prompt", async () => /^look at \/.*\/my_image\.png $/.test(await box.inputValue()));
  await accessible(page);
});

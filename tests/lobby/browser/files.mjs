// Files: chosen, pasted and dropped ones are uploaded and their paths typed; others are downloaded.

import { readFile } from "node:fs/promises";
import { accessible, assert, row, run, screen, shows, until } from "./page.mjs";

await run(async ({ page, arguments: [lobby] }) => {
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  const uploads = page.getByRole("list", { name: "Uploads" });
  // Chosen: the path is typed, and not entered.
  await page.keyboard.type("wc -c <");
  await page.getByText("Files", { exact: true }).click();
  await accessible(page);
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload files…" }).click();
  await (await chooser).setFiles({ name: "my notes.txt", mimeType: "text/plain", buffer: Buffer.alloc(1_234_567, "x") });
  await uploads.getByText(/is \/.*my_notes\.txt/).waitFor();
  await shows(page, /my_notes\.txt/);
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.press("Enter");
  await shows(page, "1234567");
  await accessible(page);
  // Pasted, as an image that was copied; text is pasted as ever.
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array([1, 2, 3])], "image.png", { type: "image/png" }));
    const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.querySelector(".xterm-helper-textarea").dispatchEvent(paste);
  });
  await shows(page, /image\.png/);
  await page.keyboard.press("Control+u");
  // Dropped, two of one name.
  for (const text of ["one", "two"]) {
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "same.txt", { type: "text/plain" }));
      const target = document.querySelector(".xterm-screen");
      for (const type of ["dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      }
    }, text);
    await uploads.getByText(text === "one" ? /is .*same\.txt/ : /is .*same-2\.txt/).waitFor();
  }
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.press("Control+u");
  // A large one while nothing answers for a while: it goes on by itself.
  process.kill(Number(lobby), "SIGSTOP");
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(20 << 20)], "large.bin"));
    document.querySelector(".xterm-screen").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await uploads.getByText("large.bin", { exact: true }).waitFor();
  process.kill(Number(lobby), "SIGCONT");
  await uploads.getByText(/is .*large\.bin/).waitFor();
  // Too large, and closed.
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(65 << 20)], "huge.bin"));
    document.querySelector(".xterm-screen").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await uploads.getByText("it is larger than 64 MiB").waitFor();
  await page.getByRole("button", { name: "Close upload of huge.bin" }).click();
  await until("it is gone", async () => (await uploads.getByText("huge.bin").count()) === 0);
  // Downloaded.
  await page.getByText("Files", { exact: true }).click();
  await page.getByRole("button", { name: "Download a file…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Show dot.png" }).click();
  await until("the image is shown", () => dialog.locator("img").evaluate((image) => image.naturalWidth === 1).catch(() => false));
  await accessible(page);
  await dialog.getByRole("button", { name: "Open sub" }).click();
  await dialog.locator(".file-name", { hasText: "<b>x" }).waitFor();
  assert.equal(await dialog.locator("b").count(), 0);
  const loading = page.waitForEvent("download");
  await dialog.getByRole("button", { name: /^Download <b>x/ }).click();
  assert.equal(await readFile(await (await loading).path(), "utf8"), "inside");
  await dialog.getByRole("textbox").fill("/etc/passwd");
  await dialog.getByRole("button", { name: "Download", exact: true }).last().click();
  await dialog.getByText("it is not below the session's directory or your home").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await screen(page).waitFor();
});

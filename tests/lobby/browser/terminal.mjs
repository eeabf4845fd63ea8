// What a terminal does besides showing: size, text size, finding, the clipboard by consent.
import { accessible, assert, row, run, shows, until } from "./page.mjs";

await run(async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await row(page, "alpha").getByRole("link").click();
  await shows(page, /[$#]/);
  const columns = async (mark) => {
    await page.keyboard.type(`echo ${mark}=$(tput cols)=\n`);
    await shows(page, new RegExp(`${mark}=\\d+=`));
    const text = await page.locator(".xterm-accessibility-tree").textContent();
    return Number(new RegExp(`${mark}=(\\d+)=`).exec(text)[1]);
  };
  const first = await columns("a");
  await page.setViewportSize({ width: 900, height: 600 });
  await until("the terminal is narrower", async () => (await columns(`b${Date.now()}`)) < first);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Control+=");
  await page.keyboard.press("Control+=");
  await until("its text is larger", async () => (await columns(`c${Date.now()}`)) < first);
  await page.keyboard.press("Control+0");
  await until("its text is as it was", async () => (await columns(`d${Date.now()}`)) === first);

  // Find.
  await page.keyboard.press("Control+Shift+F");
  await page.getByRole("textbox", { name: "Text on the screen" }).fill("no such text");
  await page.getByText("not found").waitFor();
  await page.getByRole("textbox", { name: "Text on the screen" }).fill("tput");
  await until("it is found", async () => (await page.getByText("not found").count()) === 0);
  await accessible(page);
  await page.keyboard.press("Escape");

  // The clipboard: asked once, and never read.
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.evaluate(() => navigator.clipboard.writeText("before"));
  const copies = (text) => `tmux set -s set-clipboard on; printf '\\033]52;c;%s\\a' $(printf ${text} | base64)\n`;
  await page.keyboard.type(copies("first"));
  await page.getByRole("alert").filter({ hasText: "clipboard" }).waitFor();
  assert.equal(await clipboard(), "before");
  await accessible(page);
  await page.getByRole("button", { name: "Allow for this session" }).click();
  await until("it is copied", async () => (await clipboard()) === "first");
  await page.keyboard.type(copies("second"));
  await until("it is copied without another question", async () => (await clipboard()) === "second");
});

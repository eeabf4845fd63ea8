// Another user's lobby, as an admin sees it: unmistakable, and nothing can be changed. The gateway is a stub: see
// stub-gateway.mjs.
import { accessible, assert, row, run, shows, until } from "./page.mjs";
import { stubGateway } from "./stub-gateway.mjs";

await run(async ({ page, context, url }) => {
  const gateway = await stubGateway(url, await context.cookies());
  try {
    await page.goto(`${gateway.url}/as/bob/`);
    // What is kept in the browser of one who looks stays there.
    const pins = JSON.stringify({ pins: ["0123456789abcdef"] });
    await page.evaluate((pins) => localStorage.setItem("lobby", pins), pins);
    await page.reload();
    await row(page, "alpha").waitFor();
    assert.equal(await page.evaluate(() => localStorage.getItem("lobby")), pins);
    await page.goto(`${gateway.url}/`);
    await row(page, "alpha").waitFor();
    await page.getByRole("status").filter({ hasText: "ann looks at your sessions" }).waitFor();
    await page.getByRole("button", { name: "Look at…" }).click();
    await accessible(page);
    await page.getByRole("dialog").getByRole("button", { name: "Look" }).click();
    await page.getByRole("alert").filter({ hasText: "alice, you look at the sessions of bob" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/as/bob/");
    await row(page, "alpha").waitFor();
    await until("nothing can be changed", async () => (await page.getByRole("button", { name: /New session|End|Rename|Pin/ }).count()) === 0);
    await accessible(page);
    await row(page, "alpha").getByRole("link").click();
    await shows(page, /[$#]/);
    await page.getByText("You watch.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Take over" }).count(), 0);
    assert.match(new URL(page.url()).pathname, /^\/as\/bob\/session\//);
    await accessible(page);
    await page.getByRole("button", { name: "Back to my own" }).click();
    await row(page, "alpha").getByRole("button", { name: "End" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
  } finally {
    gateway.close();
  }
});

// Takes the pictures of docs/lobby.md from real sessions: the last argument is where they go.
import { execSync } from "node:child_process";
import { join } from "node:path";
import { row, run, shows, until } from "./page.mjs";
import { sheet } from "./sheet.mjs";
import { stubGateway } from "./stub-gateway.mjs";

const folder = process.argv.at(-1);
const SIZE = { width: 1000, height: 460 };
const shot = async (page, name, colorScheme = "light") => {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.screenshot({ path: join(folder, `${name}.png`) });
};

await run(async ({ page, context, url }) => {
  await page.setViewportSize(SIZE);
  await row(page, "checkout").locator('.state[data-state="waiting"]').waitFor();
  await row(page, "orders").locator('.state[data-state="working"]').waitFor();
  await shot(page, "list-light");
  await shot(page, "list-dark", "dark");
  await row(page, "checkout").getByRole("link").click();
  await shows(page, "12 tests pass");
  await shot(page, "terminal-light");
  await shot(page, "terminal-dark", "dark");
  await page.setViewportSize({ width: 390, height: 700 });
  await shot(page, "terminal-narrow");
  await page.keyboard.press("Control+Shift+K");
  await row(page, "checkout").waitFor();
  await shot(page, "list-narrow");
  await page.setViewportSize(SIZE);
  await page.getByRole("button", { name: "New session" }).click();
  await shot(page, "new");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Logins" }).click();
  await page.getByText("(this browser)").waitFor();
  await shot(page, "logins");
  const gateway = await stubGateway(url, await context.cookies());
  await page.goto(`${gateway.url}/as/bob/`);
  await row(page, "checkout").waitFor();
  await shot(page, "looking");
  gateway.close();
  const components = await sheet(join(import.meta.dirname, "../../../src/lobby/page"));
  await page.goto(components.url);
  await page.getByRole("heading", { name: "Components" }).waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(folder, `components-${colorScheme}.png`), fullPage: true });
  }
  components.close();
  await page.goto(new URL("/", url).href);
  await row(page, "checkout").waitFor();
  execSync(`${process.env.PERSIST} save`, { stdio: "ignore" });
  const server = execSync("tmux display-message -p '#{pid}'").toString().trim();
  process.kill(Number(server), "SIGKILL");
  await until("all is lost", async () => (await page.locator('li [data-state="lost"]').count()) === 4);
  await page.getByRole("button", { name: "Restore…" }).click();
  await page.locator(".plan > li").first().waitFor();
  await page.getByText("No agent starts").or(page.getByText(/agents? starts? at once|waits? for Enter\./)).first().waitFor();
  await shot(page, "restore");
});

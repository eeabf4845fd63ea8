// All texts of the page are in the text.ts of its parts, each is used, and another language is one more file. The second
// argument is the folder of the page.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { assert, row, run } from "./page.mjs";
import { stubGateway } from "./stub-gateway.mjs";

const page = process.argv[3];
const { parseAst } = await import(createRequire(join(page, "package.json")).resolve("rolldown/parseAst"));
const source = join(page, "src");
const paths = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
const files = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
const isTexts = (path) => /^text(-\w+)?\.ts$/.test(basename(path));
const parse = (path) => parseAst(files.get(path), { lang: path.endsWith("x") ? "tsx" : "ts" });

function walk(node, see, parent) {
  if (!node || typeof node !== "object") return;
  if (Array.isArray(node)) {
    for (const one of node) walk(one, see, parent);
    return;
  }
  if (node.type) see(node, parent);
  for (const [key, value] of Object.entries(node)) if (key !== "parent") walk(value, see, node.type ? node : parent);
}

/** Names of keys are the same in every language. */
const words = (text) => text.replace(/\b(Ctrl|Shift|Alt|Esc|Tab|Enter|Plus|Minus)\b/g, "");
const hasWords = (text) => /\p{L}{2,}/u.test(words(text));
const SPOKEN = ["aria-label", "title", "placeholder", "alt", "label"];

const outside = [];
for (const path of paths.filter((path) => !isTexts(path) && !/\/(languages|components)\//.test(path))) {
  const found = (text) => outside.push(`${path.slice(source.length + 1)}: ${text.trim()}`);
  walk(parse(path), (node, parent) => {
    if (node.type === "JSXText" && hasWords(node.value)) found(node.value);
    if (node.type === "JSXAttribute" && SPOKEN.includes(node.name.name)) {
      walk(node.value, (part) => {
        // Inside of an expression, one small word is a name of the program's.
        const isName = part !== node.value && /^[a-z_-]+$/.test(part.value ?? "");
        if (part.type === "Literal" && typeof part.value === "string" && !isName && hasWords(part.value)) found(part.value);
        if (part.type === "TemplateElement" && hasWords(part.value.raw)) found(part.value.raw);
      });
    }
    const isSentence = node.type === "Literal" && typeof node.value === "string" && /^[A-Z][a-z']+( [\w']+)+/.test(node.value);
    if (isSentence && parent?.type !== "ImportDeclaration") found(node.value);
  });
}
assert.deepEqual(outside, [], "texts that are not in a text.ts");

const unused = [];
const unknown = [];
const language = files.get(join(source, "language.ts"));
for (const path of paths.filter(isTexts)) {
  const importers = (path) => paths.filter((other) => {
    const imports = [...files.get(other).matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, name]) => resolve(dirname(other), `${name}.ts`));
    return other !== path && imports.includes(path);
  });
  // Texts that further ones have in them are used where those are.
  const from = importers(path).flatMap((other) => (isTexts(other) ? [other, ...importers(other)] : [other]));
  const uses = [path, ...from].map((other) => files.get(other)).join("\n");
  for (const statement of parse(path).body) {
    for (const { id, init } of statement.declaration?.declarations ?? []) {
      const object = init?.type === "TSAsExpression" ? init.expression : init;
      if (id.name !== "text" || object?.type !== "ObjectExpression") continue;
      for (const { key } of object.properties.filter((property) => property.key)) {
        if (!new RegExp(`\\.${key.name}\\b`).test(uses)) unused.push(`${path.slice(source.length + 1)}: ${key.name}`);
      }
    }
  }
  const name = path.slice(source.length + 1, -".ts".length);
  if (!/translated\("\w+"/.test(files.get(path)) || !language.includes(`import("./${name}")`)) unknown.push(name);
}
assert.deepEqual(unused, [], "texts that nothing uses");
assert.deepEqual(unknown, [], "texts that language.ts does not know");

// Another language: one file, checked by its type, is what a browser of that language shows; the rest is English.
const GERMAN = `import type { Language } from "../language";

export default {
  common: { text: { newSession: "Neue Sitzung", counts: (waiting, working) => \`\${waiting} warten, \${working} arbeiten\` }, states: { shell: "Kommandozeile" } },
  restore: { text: { noSnapshots: "Noch nichts gesichert." } },
} satisfies Language;
`;
const room = mkdtempSync(join(tmpdir(), "tl-texts-"));
try {
  for (const part of ["index.html", "package.json", "tsconfig.json", "vite.config.js", "public", "src"]) cpSync(join(page, part), join(room, part), { recursive: true });
  symlinkSync(join(page, "node_modules"), join(room, "node_modules"));
  mkdirSync(join(room, "src/languages"), { recursive: true });
  writeFileSync(join(room, "src/languages/de.ts"), GERMAN);
  execFileSync(join(room, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: room, stdio: "inherit" });
  execFileSync(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--logLevel", "error"], { cwd: room, stdio: "inherit" });
  await run(async ({ page: english, context, browser, url }) => {
    await row(english, "alpha").waitFor();
    const types = { html: "text/html", js: "text/javascript", css: "text/css" };
    const file = (path) => {
      const name = path === "/" ? "index.html" : path.slice(1);
      if (name !== "index.html" && !name.startsWith("assets/")) return undefined;
      return { body: readFileSync(join(room, "dist", name)), type: types[name.split(".").at(-1)] };
    };
    const gateway = await stubGateway(url, await context.cookies(), file);
    const german = await browser.newContext({ locale: "de-DE" });
    const page = await german.newPage();
    await page.goto(gateway.url);
    await page.getByRole("button", { name: "Neue Sitzung" }).waitFor();
    await page.getByText("0 warten, 0 arbeiten").waitFor();
    await row(page, "alpha").getByText("Kommandozeile").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de-DE");
    await page.getByRole("button", { name: "Snapshots" }).click();
    await page.getByText("Noch nichts gesichert.").waitFor();
    await german.close();
    gateway.close();
    assert.equal(await english.getByRole("button", { name: "Neue Sitzung" }).count(), 0);
  });
} finally {
  rmSync(room, { recursive: true });
}

// Two builds of the page, in folders of different names, are equal byte by byte, hold the licence of each package that
// is in them, and are as small as they are to be. The argument is the folder of the page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const page = process.argv[2];
const room = mkdtempSync(join(tmpdir(), "tl-page-"));

function build(name) {
  const folder = join(room, name);
  for (const part of ["index.html", "package.json", "tsconfig.json", "vite.config.js", "public", "src"]) {
    cpSync(join(page, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(page, "node_modules"), join(folder, "node_modules"));
  execFileSync(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--logLevel", "error"], { cwd: folder, stdio: "inherit" });
  const dist = join(folder, "dist");
  const entries = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [file.slice(dist.length + 1), readFileSync(file)]).sort());
}

try {
  const [one, two] = [build("one"), build("another/of-a-longer-name")];
  assert.deepEqual([...one.keys()], [...two.keys()]);
  for (const [name, bytes] of one) assert.ok(bytes.equals(two.get(name)), `${name} differs`);
  const licences = one.get("licenses.txt").toString();
  const { dependencies } = JSON.parse(readFileSync(join(page, "package.json"), "utf8"));
  for (const [name, version] of Object.entries(dependencies)) assert.ok(licences.includes(`${name} ${version} (`), name);
  // What is loaded with a file: what the page names, and what modules import before they run.
  const loaded = (names, found = new Set()) => {
    for (const name of names.filter((name) => !found.has(name))) {
      found.add(name);
      const text = name.endsWith(".js") || name.endsWith(".html") ? one.get(name).toString() : "";
      const named = [...text.matchAll(/(?:from|import)"\.\/([^"]+)"|(?:src|href)="\/(assets\/[^"]+)"/g)];
      loaded(named.map(([, module, asset]) => asset ?? `assets/${module}`), found);
    }
    return [...found];
  };
  const size = (names) => names.reduce((sum, name) => sum + one.get(`${name}.gz`).length, 0);
  const list = loaded(["index.html"]);
  const terminal = loaded([...list, ...[...one.keys()].filter((name) => /^assets\/terminal-.*(js|css)$/.test(name))]);
  assert.ok(list.length >= 3 && size(list) <= 25_000, `the list page has ${size(list)} bytes`);
  assert.ok(size(terminal) <= 250_000, `with the terminal it has ${size(terminal)} bytes`);
  console.log(`list ${size(list)} bytes, with the terminal ${size(terminal)}`);
} finally {
  rmSync(room, { recursive: true });
}
